"""Everything FMgo needs to be tried on one machine: servers from wheels, a simulated SII, a demonstration."""
