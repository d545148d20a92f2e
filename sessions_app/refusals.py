"""A rule said no: what every interface turns into an error frame or a 4xx."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MESSAGES: dict[str, Promise | str] = {
    "unknown_code": _("There is no session with that code. Check the code on the board and try again."),
    "session_over": _("This session has ended. What you sent before is saved."),
    "session_full": _("This session is full. Ask your teacher."),
    "not_in_class": _("That name is not in this class."),
    "label_taken": _("Somebody has already joined with that name."),
    "other_device": _("This session goes on on another device. What was sent from here is saved."),
    "removed": _("Your teacher has taken you out of this session."),
    "left": _("You left this session. Join again with the code."),
    "not_started": _("The session has not started yet."),
    "consent_missing": _("This needs your agreement first. Nothing of it was kept."),
    "not_leader": _("Only the leader of a group can say that it is ready."),
    "no_group": _("You are not in a group yet."),
    "not_possible_now": _("That cannot be done in the session's present state. Nothing was changed."),
    "no_such_group": _("That group does not exist any more. Nothing was changed."),
    "no_such_student": _("That student is not in this session."),
    "no_such_session": _("There is no such session."),
    "no_such_request": _("That request has already been decided."),
    "no_such_check": _("That question is not open any more."),
    "asked_already": _("Your teacher has been asked already. Wait for the answer."),
    "group_count": _("Make between 1 and 20 groups."),
    "title_missing": _("Give the session a title."),
    "class_missing": _("Choose a class first, so that students find their names."),
    "class_empty": _("This class has no students yet. Add them first."),
    "label_missing": _("A student needs a label: what the class sees."),
    "label_in_use": _("Somebody else in this class has that label."),
    "no_model": _("No language model is set up here. Choose word statistics, or ask whoever runs this installation."),
    "analysis_over": _("This analysis is over already. Nothing was changed."),
    "analysis_not_failed": _("This analysis has not failed. Nothing was changed."),
    "no_such_code": _("There is no such code, or it has become part of another. Nothing was changed."),
    "code_name_missing": _("A code needs a name."),
    "code_name_in_use": _("There is a code of that name already. Merge them, or choose another name."),
    "no_passages": _("Choose passages first. Nothing was changed."),
    "no_such_class": _("There is no such class."),
    "class_name_in_use": _("There is a class of that name already."),
    "other_school": _("Two records of different schools are not joined."),
    "met_in_session": _("Both took part in the same session, so they are two students. Nothing was changed."),
    "list_changed": _("The class changed while you were looking at the preview. Nothing was written; look again."),
    "study_incomplete": _("This study is not complete yet. Ask your teacher."),
    "no_cell": _("This study has no condition for this place. Ask your teacher."),
    "other_step": _("You are at another step by now. What you sent before is saved."),
    "no_such_question": _("That question is not one of yours."),
    "answered_already": _("You have answered this already. Your first answer is saved."),
    "submitted_already": _("You have handed this in already. What you handed in is saved."),
    "invalid": _("That cannot be kept as it is."),
    "text_missing": _("There are no words in it."),
    "text_too_long": _("That is too long to be read aloud: 3,000 words are the most. Make several of it."),
    "too_many_prompts": _("100 prompts are the most."),
    "not_text": _("That is no text file. Save it as plain text, and choose it again."),
    "passage_missing": _("Choose what is read aloud first."),
    "prompts_missing": _("Choose the prompts first: without a cloud service only prompts can be understood."),
    "passage_replaced": _("Somebody changed this passage meanwhile. Look at the newest version."),
    "no_reading": _("Begin to read first."),
    "no_activity": _("Nothing is read aloud in this session."),
    "reading_over": _("This reading is over. What was heard until then is kept."),
    "reading_too_long": _("This reading is as long as one can be. What was heard until here is kept."),
    "listeners_busy": _(
        "Nobody can listen at the moment. Go on reading: it is kept, and listened to as soon as somebody is free."
    ),
    "cannot_listen": _("Nobody can listen to this here, so no words will be written down. Tell your teacher."),
    "no_words_heard": _("No words can be heard yet. Read aloud, close to the microphone."),
    "read_through": _("That was the last word. Press Finished when you are done."),
    "not_the_passage": _("Your voice is heard, but not these words. Go on at the marked place."),
    "not_webm": _("The sound of this device cannot be understood. What was heard until here is kept."),
    "not_opus": _("The sound of this device cannot be understood. What was heard until here is kept."),
    "too_dense": _("The sound of this device cannot be understood. What was heard until here is kept."),
    "damaged": _("The sound of this device cannot be understood. What was heard until here is kept."),
    "mp4": _("This browser records in a way that cannot be understood here. Use Chrome, Edge or Firefox."),
    "held_elsewhere": _("This reading goes on on another device. What was heard from here is kept."),
    "no_such_word": _("There is no such word in the passage."),
    "no_such_help": _("That help is not there any more."),
    "reason_missing": _("Say why, in a few words: both stay on record."),
    "not_settled": _("This reading is still being listened to. Decide when it is done."),
    "marked_already": _("There is a mark at this word already: decide about that one."),
    "no_sound": _("The sound of this reading is not kept, or not any more."),
    "no_such_mark": _("There is nothing like that at this word."),
    "no_study": _("This session has no study."),
    "condition_settled": _("The student’s run has begun, so its condition is settled. Nothing was changed."),
    "no_such_condition": _("The study does not run this condition at this place. Choose another one."),
    "cannot_move_on": _("The student decides about this step. Nothing was changed."),
    "went_on": _("The student has gone on meanwhile. Nothing was changed."),
    "key_reused": _("The same key came with other content. The first content is kept."),
    "code_not_good": _("That code is not good, or no longer: each works once, for a short time. Ask for a new one."),
    "linked_already": _("This account belongs to another student already. Nothing was changed."),
    "token_invalid": _("The token is not valid here."),
    "token_expired": _("The token has expired. Get a new one."),
    "account_gone": _("The account of this token does not exist any more."),
    "not_a_learner": _("Learners have practice results; this token is of somebody else."),
    "data_requested": _("A request about this student’s data is open. Let it be answered first. Nothing was changed."),
    "requested_already": _("The same has been asked for already, and is being answered."),
    "copy_not_ready": _("The copy is not ready, or is not kept any more. Ask for a new one."),
    "locked_out": _("Too many wrong passwords. Wait ten minutes, then try again."),
    "too_many_guesses": _("Too many wrong codes from this network. Wait ten minutes, then try again."),
}


class Refused(Exception):
    """A rule that was not met. `code` is for machines, `message` for people; nothing was changed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def message(self) -> str:
        return str(MESSAGES[self.code])

    @property
    def fields(self) -> dict[str, list[str]] | None:
        """What is wrong with which field, where it is about fields."""
        return None
