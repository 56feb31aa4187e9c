"""Stand-in for pyquokka 0.3.2: the same signatures, attributes and type checks of
clusters and contexts, without a cluster."""
