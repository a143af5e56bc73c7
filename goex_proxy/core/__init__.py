"""The pure core: values, decisions, the journal's states, the phases of a call and of an undo. No I/O."""
