"""What people write (policies, reversers, configuration) turned into core values."""
