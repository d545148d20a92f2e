"""Amazon Polly as a voice: the one module that talks to it."""

from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sessions_app.speech.voice import VoiceFailed


class PollyVoice:
    """A neural voice of one region; `endpoint` where it is not the region's own."""

    name = "polly"
    suffix = ".mp3"
    _SPEAKER = "Joanna"

    def __init__(self, *, region: str, endpoint: str = "") -> None:
        self._region = region
        self._endpoint = endpoint

    def speak(self, text: str) -> bytes:
        try:
            answer = self._client.synthesize_speech(
                Text=text, OutputFormat="mp3", VoiceId=self._SPEAKER, Engine="neural", LanguageCode="en-US"
            )
            sound: bytes = answer["AudioStream"].read()
        except (BotoCoreError, ClientError) as error:
            raise VoiceFailed(str(error)) from None
        return sound

    @cached_property
    def _client(self) -> Any:
        """Safe to share between threads, and slow to make."""
        config = Config(connect_timeout=3, read_timeout=8, retries={"mode": "standard", "total_max_attempts": 2})
        return boto3.client("polly", region_name=self._region, endpoint_url=self._endpoint or None, config=config)
