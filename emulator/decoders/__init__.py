"""What is answered: pre-decoders, matchers and the adapters around them."""
