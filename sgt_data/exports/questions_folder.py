"""The questions that an export mixes in: the training list of a folder of `sgt-data questions`."""

from __future__ import annotations

from dataclasses import dataclass

from sgt_data.errors import RequestError
from sgt_data.exports.listed_paths import check_listed
from sgt_data.files.output_place import QUESTIONS_MARKER
from sgt_data.files.reading import exists
from sgt_data.files.urls import absolute, is_local, join
from sgt_data.stream.conversations import ConversationFile

TRAIN_LIST = "train.jsonl"


@dataclass(frozen=True, slots=True)
class QuestionsFolder:
    """A folder of questions, checked.

    Attributes:
        folder: absolute path; names of pictures in the list are relative to it.
        list: absolute path of the list of training questions.
        count: number of questions in the list.
        longest: bytes of its longest line.
    """

    folder: str
    list: str
    count: int
    longest: int


def open_questions(folder: str) -> QuestionsFolder:
    """A folder of questions, of which every line and picture was checked.

    Raises:
        RequestError: it is not local, or no folder of questions; it has none to train with.
        CorpusError: a question is damaged, or its picture is not there.
    """
    root = absolute(folder)
    if not is_local(root):
        raise RequestError(f"questions is {folder}; the trainers read local folders only")
    if not exists(join(root, QUESTIONS_MARKER)):
        raise RequestError(
            f"questions: {folder} has no {QUESTIONS_MARKER}; name a folder that `sgt-data "
            "questions CORPUS --output FOLDER` wrote"
        )
    check_listed("questions", root)
    questions = ConversationFile(join(root, TRAIN_LIST), root)
    questions.check()
    return QuestionsFolder(root, questions.url, len(questions), questions.longest)
