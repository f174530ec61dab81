using System.Diagnostics;
using Godwit.Cli.Demo;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Demo;

public sealed class WriterLogTests
{
    private readonly WriterLog _log = new();
    private readonly long _zero = WriterLog.FirstId(0);

    [Fact]
    public void Acknowledged_neighbours_are_one_range_for_each_writer()
    {
        Add(0, 0, WriteOutcome.Acknowledged);
        Add(1, 0, WriteOutcome.Acknowledged);
        Add(0, 10, WriteOutcome.Acknowledged);

        _log.Acknowledged().ShouldBe([new IdRange(_zero, _zero + 19), new IdRange(WriterLog.FirstId(1), WriterLog.FirstId(1) + 9)]);
        _log.AcknowledgedRows.ShouldBe(30);
    }

    [Fact]
    public void What_is_not_acknowledged_makes_a_gap()
    {
        Add(0, 0, WriteOutcome.Acknowledged);
        Add(0, 10, WriteOutcome.Unknown);
        Add(0, 20, WriteOutcome.Refused);
        Add(0, 30, WriteOutcome.NotSent);
        Add(0, 40, WriteOutcome.Acknowledged);

        _log.Acknowledged().ShouldBe([new IdRange(_zero, _zero + 9), new IdRange(_zero + 40, _zero + 49)]);
        _log.Doubtful().ShouldBe([new IdRange(_zero + 10, _zero + 19), new IdRange(_zero + 20, _zero + 29)]);
        _log.RefusedWrites.ShouldBe(1);
        _log.UnknownWrites.ShouldBe(1);
    }

    [Fact]
    public void Rows_of_before_must_stay_but_were_not_written()
    {
        _log.AddPresent(new IdRange(0, 99));

        _log.Acknowledged().ShouldBe([new IdRange(0, 99)]);
        _log.AcknowledgedRows.ShouldBe(0);
    }

    [Fact]
    public void Latencies_are_those_that_began_in_the_span()
    {
        Add(0, 0, WriteOutcome.Acknowledged);
        var later = Stopwatch.GetTimestamp();

        _log.LatencyMs(0.99, later, long.MaxValue).ShouldBe(0);
        _log.LatencyMs(0.99, 0, later).ShouldBeGreaterThan(0);
    }

    [Theory]
    [InlineData(0.5, 50)]
    [InlineData(0.99, 99)]
    [InlineData(1, 100)]
    [InlineData(0, 1)]
    public void Percentiles_are_of_the_nearest_rank(double share, double expected)
    {
        WriterLog.Percentile([.. Enumerable.Range(1, 100).Select(n => (double)n).Reverse()], share).ShouldBe(expected);
        WriterLog.Percentile([], share).ShouldBe(0);
    }

    private void Add(int writer, long sequence, WriteOutcome outcome) =>
        _log.Add(new WriterBatch(writer, WriterLog.FirstId(writer) + sequence, 10), outcome, Stopwatch.GetTimestamp());
}
