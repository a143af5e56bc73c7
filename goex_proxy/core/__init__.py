"""The pure core: values, decisions, the journal's states, the phases of a call. No I/O."""
