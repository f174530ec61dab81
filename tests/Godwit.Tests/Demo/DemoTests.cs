using Godwit.Cli;
using Godwit.Cli.Demo;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Runs;
using Godwit.Tests.Cli;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Demo;

public sealed class DemoTests
{
    private static readonly DemoResult Good = new()
    {
        State = RunState.Completed,
        RowsBefore = 100,
        RowsWritten = 50,
        RowsAfter = 150,
        Lost = 0,
        Duplicated = 0,
        RefusedWrites = 0,
        RetriedWrites = 1,
        CopySeconds = 2,
        RowsPerSecond = 50,
        VisibilityGapMs = 10,
        ReaderGapMs = 0,
        CutoverMs = 20,
        ExchangeMs = 5,
        InsertP99MsBefore = 8,
        InsertP99MsDuring = 9,
        QueryBefore = new QueryFigures("n 1", 1000, 50),
        QueryAfter = new QueryFigures("n 1", 100, 10),
    };

    [Fact]
    public void Only_a_completed_run_without_any_difference_is_good()
    {
        Good.ExitCode().ShouldBe(ExitCodes.Done);
        foreach (var bad in new[] { Good with { Lost = 1 }, Good with { Duplicated = 1 }, Good with { RefusedWrites = 1 }, Good with { State = RunState.Failed } })
        {
            bad.ExitCode().ShouldBe(ExitCodes.Failed);
            DemoView.Verdict(bad).ShouldStartWith("✗");
        }

        (Good with { State = RunState.NeedsOperator }).ExitCode().ShouldBe(ExitCodes.NeedsOperator);
    }

    [Fact]
    public void The_verdict_and_the_gain_are_said_in_words()
    {
        DemoView.Verdict(Good).ShouldStartWith("✓ lost 0, duplicated 0, refused 0");
        DemoView.Faster(Good.QueryBefore, Good.QueryAfter).ShouldBe("5× faster");
        DemoView.Faster(Good.QueryAfter, Good.QueryBefore).ShouldBe("not faster");
    }

    [Fact]
    public void Times_are_read_from_the_journal()
    {
        var start = DateTimeOffset.UnixEpoch;
        var plan = new Plan
        {
            RunId = "abcdefgh",
            Migration = "rebuild",
            Tables = ["demo.events"],
            Strategy = "block-log",
            Operations = [new PlannedOperation { Kind = "rebuild", Description = "Rebuild", Shared = PlanFormat.ToElement(1) }],
            Steps =
            [
                new PlannedStep { Index = 0, Kind = "copy-partition", Node = "n", Description = "d", RowsTotal = 5 },
                new PlannedStep { Index = 1, Kind = "cut-over", Node = "n", Description = "d" },
            ],
        };
        var times = RunTimes.Of(plan, [Entry(0, "a", 1), Entry(0, "b", 4), Entry(1, "position/backward", 5), Entry(1, "exchange/forward", 7), Entry(1, "swept/forward", 8)]);

        times.ShouldBe(new RunTimes(TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(1)));
        RunTimes.Of(plan, []).ShouldBe(new RunTimes(TimeSpan.Zero, TimeSpan.Zero));

        JournalEntry Entry(int step, string name, int second) => new()
        {
            RunId = "abcdefgh",
            Step = step,
            Kind = JournalEntryKind.Fact,
            Name = name,
            Payload = "1",
            At = start.AddSeconds(second),
        };
    }

    [Fact]
    public void A_slow_insert_sleeps_over_its_rows()
    {
        var rows = new SqlRows("id", "number") { Duration = TimeSpan.FromSeconds(2) };
        rows.Statement(new QualifiedName("d", "t"), new WriterBatch(0, 100, 4))
            .ShouldBe("INSERT INTO `d`.`t` (id) SELECT number FROM numbers(100, 4) WHERE sleepEachRow(0.5) = 0");
    }

    [Fact]
    public void A_live_row_has_a_field_for_each_column()
    {
        var row = DemoEvents.LiveRows.Row(42);
        row.ShouldEndWith("\t42\n");
        row.Split('\t').Length.ShouldBe(DemoEvents.Columns.Split(',').Length);
        row.Count(c => c == '\n').ShouldBe(1);
        row.Length.ShouldBeGreaterThan(500);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-5")]
    [InlineData("99999999999")]
    public async Task A_number_of_rows_that_makes_no_sense_is_refused(string rows)
    {
        var run = await CliRun.Of(["demo", "--rows", rows, "--output", "json"], ct: TestContext.Current.CancellationToken);
        run.ShouldBeOneDocument(ExitCodes.Usage);
    }
}
