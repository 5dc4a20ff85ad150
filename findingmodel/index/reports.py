"""IndexReports: read radiology reports, and find which models they mention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.index.base import IndexBase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from findingmodel.reports.values import ReportReading


class IndexReports(IndexBase):
    """Reading reports."""

    async def read_report(self, text: str, *, exam: str = "", limit: int = 5) -> ReportReading:
        """Return the findings that a report names, where, how certain, and with coded attributes.

        Args:
            text: the report, or a part of one.
            exam: the name of the examination, such as "CT chest", if the text does not tell.
            limit: the most models per finding, best first.

        Raises:
            QueryError: *text* is too long, or *limit* is less than 1.
        """
        with self._session.timer("read report"):
            return await self._session.reports.read(text, exam=exam, limit=limit)

    async def read_reports(
        self, texts: Iterable[str], *, exam: str = "", limit: int = 5
    ) -> list[ReportReading]:
        """Return what `read_report` does for each of *texts*, in their order.

        Raises:
            QueryError: a text is too long, or *limit* is less than 1.
        """
        with self._session.timer("read reports") as span:
            readings = [await self._session.reports.read(text, exam=exam, limit=limit) for text in texts]
            span.items = len(readings)
        return readings
