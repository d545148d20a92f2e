"""Reading aloud: from the recorder's bytes to words, miscues, windows, help and a summary.

Rules and engines: no request, no socket, no model of Django's. The speech vendors' packages are imported in one
module each: `audio` and `recordings` (PyAV), `recogniser` (pocketsphinx), `transcribe` (amazon-transcribe), `polly`
(boto3).
"""
