"""Which address is which socket."""
