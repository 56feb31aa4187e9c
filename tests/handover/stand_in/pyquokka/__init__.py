"""Stands for pyquokka 0.3.2: the same signatures, attributes and checks of types
where they concern clusters and contexts; no cluster behind it."""
