"""Which lines of the product run while it is tested, at hardly a cost: `sitecustomize` notes them, `report` tells them.

A tracer is told of every line of every package, which makes Python 3.11 take twice the time for the whole suite. Here
each statement of the product is compiled with a note before it, and every process of a run (also one that is killed)
notes in the same files, one byte for a line. What is no statement, what is left out and what is enough is coverage's.
"""
