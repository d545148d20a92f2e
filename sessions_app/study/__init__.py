"""The Socratic study: who gets which condition, what each step asks and keeps, and how answers are scored.

The functions here are rules: no request, no socket. Those that write are called inside a transaction that holds the
student's session (`actions`), after `journey.require` has said that the student is at that step; they validate what
they write (`validation`), and leave the event to their caller. None waits for a network inside a transaction.
"""
