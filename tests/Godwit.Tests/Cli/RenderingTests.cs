using Godwit.Cli;
using Godwit.Cli.Progress;
using Godwit.Cli.Rendering;
using Godwit.Fixtures;
using Godwit.Metadata;
using Godwit.Runs;
using Godwit.Tests.Metadata;
using Shouldly;
using Spectre.Console.Rendering;
using Xunit;

namespace Godwit.Tests.Cli;

public class RenderingTests
{
    private static readonly CliEnvironment Machine = new() { Variables = new Dictionary<string, string>(), In = TextReader.Null };

    [Fact]
    public void A_status_of_10_000_steps_fits_on_a_screen()
    {
        var text = Draw(StatusView.Of(CliSamples.Status(RunState.Running, 10_000), DateTimeOffset.UtcNow));
        text.Split('\n').Length.ShouldBeLessThan(20, text);
        text.ShouldContain("1–10000");
        text.ShouldContain("5,000 done, 1 running, 4,999 pending");
        text.ShouldContain("500,000 of 1,000,000 rows (50 %) · 12.3 MB of 30 GB · 1,234,567 rows/s · 1 h 2 min left");
    }

    [Fact]
    public void A_feed_that_stands_still_with_its_dead_run_is_told_with_what_ends_that() =>
        StatusView.Next(CliSamples.Status(RunState.Running) with { Owner = null, FeedHeldSince = StoreSamples.Noon }).ShouldBe(
            "No process is working on it, and what feeds db.t has been held since 2026-05-04 12:00:00 UTC. "
            + "`godwit resume k3f9a2b1` takes it over and lets the feed go on, `godwit rollback k3f9a2b1` too.");

    [Theory]
    [InlineData(100, 300, "100 of 300 rows (33.3 %)")]
    [InlineData(300, 300, "300 of 300 rows (100 %)")]
    [InlineData(1310, 300, "1,310 rows, 1,010 newer than the plan (100 %)")]
    public void Rows_that_came_after_the_plan_are_told_apart(long copied, long planned, string words) =>
        StatusView.Copied(new RunStatus { RunId = "r", Migration = "m", State = RunState.Running, Steps = [], Errors = [], RowsCopied = copied, RowsTotal = planned }).ShouldBe(words);

    [Fact]
    public void The_pause_of_a_feed_is_printed_with_the_figures_of_the_exchange() =>
        Draw(StatusView.Of(CliSamples.Status() with { Cutover = new CutoverFigures(1.5, 2, 3) { PausedSeconds = 0.42 } }, DateTimeOffset.UtcNow))
            .ShouldContain("exchange 1.5 ms · rows invisible for at most 2 ms · 3 late rows moved over · feed held for 0.4 s");

    [Fact]
    public void Kinds_that_take_turns_are_summed_up_too()
    {
        var status = CliSamples.Status() with
        {
            Steps = [.. Enumerable.Range(0, 2000).Select(i => new StepStatus(i, i % 2 == 0 ? "copy" : "verify", "n", StepState.Done, "x", 1, 1))],
        };
        Draw(StatusView.Of(status, DateTimeOffset.UtcNow)).Split('\n').Length.ShouldBeLessThan(20);
    }

    [Fact]
    public void Names_are_neither_markup_nor_escape_sequences()
    {
        var status = CliSamples.Status(RunState.Failed) with
        {
            Table = "db.\"[red]x[/]\"",
            Problem = "\u001b[2J[bold]boom",
            Brake = "[/] [unknown",
            Errors = [new StatusError(DateTimeOffset.UnixEpoch, 1, "[link]\u0007", "details [x]")],
        };
        var text = Draw(StatusView.Of(status, DateTimeOffset.UtcNow)) + Draw(ErrorsView.Of(status.Errors, withDetails: true))
            + Draw(ProgressView.Of(status, 80, 24, null));
        text.ShouldContain("db.\"[red]x[/]\"");
        text.ShouldContain("[bold]boom");
        text.ShouldContain("[/] [unknown");
        text.ShouldContain("details [x]");
        text.ShouldNotContain('\u001b');
        text.ShouldNotContain('\u0007');
    }

    [Theory]
    [InlineData(10)]
    [InlineData(24)]
    [InlineData(60)]
    public void The_moving_display_is_never_higher_than_the_terminal(int height)
    {
        var status = CliSamples.Status(RunState.Running, 10_000) with { Brake = "too many parts" };
        Draw(ProgressView.Of(status, 80, height, "note")).TrimEnd().Split('\n').Length.ShouldBeLessThan(height);
    }

    [Fact]
    public void The_moving_display_shows_what_is_under_way_and_what_ended_last()
    {
        var copies = ProgressView.Copies(CliSamples.Status(RunState.Running, 100).Steps, 3);
        copies.Select(c => c.Index).ShouldBe([49, 50, 51]);
    }

    [Fact]
    public void Plain_progress_writes_a_line_when_something_changes_and_else_every_ten_seconds()
    {
        using var writer = new StringWriter();
        var clock = new ManualClock();
        var progress = new PlainProgress(writer, clock);
        var status = CliSamples.Status(RunState.Running);
        for (var second = 0; second < 21; second++)
        {
            progress.Report(status with { RowsCopied = second });
            clock.Advance(TimeSpan.FromSeconds(1));
        }

        writer.ToString().Trim().Split('\n').Length.ShouldBe(3);
        progress.Report(status with { Brake = "too many parts" });
        writer.ToString().Trim().Split('\n')[^1].ShouldBe(
            "2026-05-04T03:02:22Z k3f9a2b1 Running · copying partition 2 · 100 of 300 rows (33.3 %) · 12.3 MB of 30 GB · "
            + "1,234,567 rows/s · 1 h 2 min left · brake: too many parts");
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1234, "1.2 kB")]
    [InlineData(999_999, "1 MB")]
    [InlineData(123_456_789, "123 MB")]
    [InlineData(long.MaxValue, "9223 PB")]
    public void Bytes_are_readable(long bytes, string text) => Plain.Bytes(bytes).ShouldBe(text);

    private static string Draw(IRenderable content)
    {
        using var writer = new StringWriter();
        new Screen(writer, isTerminal: false, Machine).Write(content);
        return writer.ToString();
    }
}
