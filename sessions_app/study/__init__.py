"""The Socratic study: who gets which condition, what each step asks and keeps, and how answers are scored.

The functions here are rules: no request, no socket. Those that write are called inside a transaction that holds the
student's session (`actions`), check where the student is (`journey`), validate what they write (`validation`), and leave
the event to their caller. None of them waits for a network inside a transaction.
"""
