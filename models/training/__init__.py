"""Training of neural pre-decoders: faults, labels, networks and the loop (extra ``train``)."""
