"""How weights are learned: knows no estimator.

skorch is imported by `sknn.training._net` alone, at the first fit.
"""
