"""What is kept: journal and vault."""
