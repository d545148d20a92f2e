"""Reading aloud in a session: passages, the course of a reading, its record, and the teacher's word on it.

The rules of listening itself (decoding, words, alignment, windows) are `sessions_app.speech`; what is here keeps them
with the students, sessions and consents that they belong to.
"""
