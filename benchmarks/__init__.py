"""Speed of sknn beside its peers: ``python -m benchmarks.<name>``."""
