"""How weights are learned: knows no estimator.

skorch is imported by the files of nets and callbacks alone, at the first fit.
"""
