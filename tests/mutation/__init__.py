"""Mutation check: do the tests of a package notice when a line of it is wrong?

``python -m tests.mutation --package loop --count 40 --seed 0`` makes 40 small mistakes in
``emulator/loop``, one at a time in a copy of the checkout, and runs ``tests/loop`` on each. A
mistake that no test notices has survived: a test is missing, or the line makes no difference.
"""
