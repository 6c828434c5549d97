"""Profiles: one browser each, and a session that outlives it."""

from scrapers.fetch.profile import Profile


def test_two_at_once_are_two_and_the_freed_one_is_taken_again(tmp_path):
    first, second = Profile(tmp_path), Profile(tmp_path)
    assert first.folder != second.folder
    first.release()
    third = Profile(tmp_path)
    assert third.folder == first.folder
    second.release()
    third.release()


def test_cookies_are_kept_for_every_profile_of_the_source(tmp_path):
    profile = Profile(tmp_path)
    assert profile.cookies() == []
    profile.keep(
        [{"name": "a", "value": "1", "expires": -1, "session": True}, {"name": "b", "value": "2", "expires": 9}]
    )
    other = Profile(tmp_path)
    assert other.cookies() == [{"name": "a", "value": "1"}, {"name": "b", "value": "2", "expires": 9}]
    profile.release()
    other.release()


def test_broken_cookie_file_is_no_session(tmp_path):
    (tmp_path / "cookies.json").write_text("[{")
    profile = Profile(tmp_path)
    assert profile.cookies() == []
    profile.release()


def test_chromiums_own_lock_of_a_killed_browser_is_removed(tmp_path):
    left = tmp_path / "profile-0" / "SingletonLock"
    left.parent.mkdir()
    left.symlink_to("gone-host-1234")
    profile = Profile(tmp_path)
    assert not left.is_symlink()
    profile.release()
