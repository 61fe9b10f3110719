"""What the simulated datasets share: the event generator, jet finding, chunks. Needs the extra [simulation]."""
