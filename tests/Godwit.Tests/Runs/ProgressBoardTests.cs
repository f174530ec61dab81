using System.Text.Json;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Runs;

/// <summary>The figures of a run under way.</summary>
public sealed class ProgressBoardTests
{
    private static readonly JsonElement Nothing = JsonSerializer.SerializeToElement(new { });

    [Fact]
    public void Rows_that_are_looked_at_again_are_movement_and_not_copied_rows()
    {
        var clock = new ManualClock();
        var plan = new Plan { RunId = "run", Migration = Plan.ByHand, Tables = [], Operations = [], Steps = [Step(0, rows: 1000), Step(1, rows: 500), Step(2, rows: null)] };
        var board = new ProgressBoard(clock);
        board.Restore(plan, [new StepRecord("run", 0, StepState.Done, 1000, 1)], null!);
        board.Read();

        clock.Advance(TimeSpan.FromSeconds(10));
        board.Report(1, 200);
        board.Report(2, 1200);

        board.Read().ShouldSatisfyAllConditions(p => p.RowsCopied.ShouldBe(1200), p => p.RowsPerSecond.ShouldBe(140));
    }

    [Fact]
    public async Task Figures_are_of_one_moment_whatever_the_steps_report_meanwhile()
    {
        const int Steps = 300;
        var plan = new Plan { RunId = "run", Migration = Plan.ByHand, Tables = [], Operations = [], Steps = [.. Enumerable.Range(0, Steps).Select(i => Step(i, rows: 1))] };
        for (var round = 0; round < 500; round++)
        {
            var board = new ProgressBoard(TimeProvider.System);
            board.Restore(plan, [], null!);
            var work = Task.Run(
                () =>
                {
                    for (var step = 0; step < Steps; step++)
                    {
                        board.Report(step, 1);
                        board.Finish(step, 1);
                    }
                },
                TestContext.Current.CancellationToken);
            var copied = 0L;
            do
            {
                var now = board.Read().RowsCopied;
                now.ShouldBeGreaterThanOrEqualTo(copied, "rows that were copied before");
                copied = now;
            }
            while (!work.IsCompleted);

            await work;
            board.Read().RowsCopied.ShouldBe(Steps);
        }
    }

    private static PlannedStep Step(int index, long? rows) => new() { Index = index, Kind = "copy-partition", Node = "n", Description = "", Arguments = Nothing, RowsTotal = rows };
}
