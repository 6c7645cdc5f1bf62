"""Notes of changes: which files hold them, and what is left of them."""

from __future__ import annotations

from pathlib import Path

from gateway.journal import Entry
from service.journal.notes import MOST_SPARE, Notes, noted


def test_a_note_names_its_change(tmp_path: Path) -> None:
    note = Notes(tmp_path).make("delete", "photos/ä.png")
    assert note
    assert noted(note) == Entry("delete", "photos/ä.png", is_known=False)


def test_a_note_that_is_done_with_leaves_its_file_for_the_next_one_also_after_a_restart(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    first = notes.make("put", "a-name-that-is-longer-than-the-next.png")
    assert first
    inode = first.stat().st_ino
    notes.remove(first)
    assert notes.of_former_processes() == []
    for is_new in (False, True):
        one = Notes(tmp_path) if is_new else notes
        note = one.make("put", "b.png")
        assert note
        assert note != first
        assert note.stat().st_ino == inode
        assert noted(note) == Entry("put", "b.png", is_known=False)
        assert one.of_former_processes() == [note]
        one.remove(note)


def test_notes_at_once_have_files_of_their_own_and_few_wait_for_the_next_ones(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    made = [notes.make("put", f"{number}.png") for number in range(MOST_SPARE + 3)]
    assert notes.of_former_processes() == sorted(filter(None, made))
    assert len(set(made)) == MOST_SPARE + 3
    for note in made:
        notes.remove(note)
    assert len(list(tmp_path.iterdir())) == MOST_SPARE


def test_a_note_that_cannot_be_read_may_be_of_any_image(tmp_path: Path) -> None:
    (tmp_path / "0.json").touch()
    assert [noted(note).kind for note in Notes(tmp_path).of_former_processes()] == ["purge-all"]


def test_a_note_with_the_text_of_an_earlier_one_may_be_of_any_image(tmp_path: Path) -> None:
    """A crash of the machine leaves that where the file had its new name on the disk before its new text."""
    notes = Notes(tmp_path)
    first = notes.make("put", "earlier.png")
    assert first
    earlier = first.read_bytes()
    notes.remove(first)
    note = notes.make("delete", "later.png")
    assert note
    note.write_bytes(earlier)
    assert noted(note) == Entry("purge-all", "", is_known=False)


def test_a_disk_that_takes_no_note_stops_no_change(tmp_path: Path) -> None:
    notes = Notes(tmp_path / "gone")
    assert notes.make("put", "a.png") is None
    notes.remove(None)


def test_a_file_that_is_gone_is_made_anew(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    notes.remove(notes.make("put", "a.png"))
    for file in tmp_path.iterdir():
        file.unlink()
    note = notes.make("put", "b.png")
    assert note
    assert noted(note).name == "b.png"
