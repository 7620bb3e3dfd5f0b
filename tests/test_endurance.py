"""A process that investigates again and again does not grow; `python -m benchmarks endurance` does it a thousand times."""

from benchmarks.endurance import MORE_FILES, MOST_THREADS, Size, figures, sizes

MARKS = (10, 20, 50)


async def test_fifty_investigations_leave_no_threads_files_or_memory_behind() -> None:
    measured = await sizes(MARKS)

    assert [size.after for size in measured] == list(MARKS)
    assert [row.line() for row in figures(measured) if not row.holds] == []
    assert MARKS[2] - MARKS[1] > MORE_FILES, "one file an investigation would be seen"


def test_growth_breaks_the_bound() -> None:
    at_first = Size(after=100, mib=100, threads=50, files=60, sockets=40)
    warm = at_first._replace(after=200, mib=120)
    same = warm._replace(after=1000, mib=125)
    leaks = (same._replace(mib=200), same._replace(threads=MOST_THREADS + 1), same._replace(files=260))

    assert all(row.holds for row in figures((at_first, warm, same)))
    assert [all(row.holds for row in figures((at_first, warm, leak))) for leak in leaks] == [False] * 3
