using Godwit.Plans;
using Godwit.Runs;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Godwit.Cli.Rendering;

/// <summary>Where a run is, on one screen.</summary>
internal static class StatusView
{
    private const int ErrorsShown = 3;

    /// <summary>The whole block.</summary>
    public static IRenderable Of(RunStatus status, DateTimeOffset now)
    {
        List<IRenderable> parts = [Look.Facts(Facts(status, now))];
        if (status.Steps.Count > 0)
        {
            parts.AddRange([Text.Empty, StepLines.Of(status.Steps)]);
        }

        if (status.Errors.Count > 0)
        {
            var heading = status.Errors.Count > ErrorsShown
                ? $"The last {ErrorsShown} of {Plain.Count(status.Errors.Count)} errors; `godwit errors {status.RunId}` shows all"
                : "Errors";
            parts.AddRange([Text.Empty, new Text(heading, Look.Quiet), ErrorsView.Of([.. status.Errors.TakeLast(ErrorsShown)], withDetails: false)]);
        }

        return new Rows(parts);
    }

    /// <summary>The sentence that stands at the end of a verb that did not get where it wanted.</summary>
    public static string Ending(RunStatus status)
    {
        var problem = status.Problem is { Length: > 0 } words ? $": {words.TrimEnd('.')}." : ".";
        return $"Run {status.RunId} {Became(status.State)}{problem} {Next(status)}".TrimEnd();
    }

    /// <summary>What can be done next, with the command to type.</summary>
    public static string Next(RunStatus status) => status.State switch
    {
        RunState.NotStarted when status is { IsQueued: true, StartHold: { } hold } => $"A worker starts it when it may: {hold}. `godwit resume {status.RunId}` starts it here and now.",
        RunState.NotStarted when status.IsQueued => $"It waits for a worker (`godwit worker`); `godwit resume {status.RunId}` starts it here.",
        RunState.NotStarted => $"`godwit resume {status.RunId}` starts it.",
        RunState.FailedAtStartup => "Put right what is said above, then run it again; nothing was changed.",
        RunState.Paused => $"`godwit resume {status.RunId}` goes on, a partition that was not finished from its beginning; `godwit rollback {status.RunId}` undoes it.",
        RunState.AwaitingCutover => $"`godwit cutover {status.RunId}` lets it go on; `godwit rollback {status.RunId}` undoes it.",
        RunState.Failed => $"`godwit resume {status.RunId}` tries again; `godwit rollback {status.RunId}` undoes it.",
        RunState.NeedsOperator => $"See `godwit errors {status.RunId}`, look at the server, then `godwit resume {status.RunId}` or `godwit rollback {status.RunId}`.",
        RunState.Completed when status is { RollbackUntil: { } expired, CleanedUp: false } && expired <= DateTimeOffset.UtcNow =>
            $"The rollback window ended at {Plain.Moment(expired)}; `godwit cleanup {status.RunId}` removes the old table.",
        RunState.Completed when status is { RollbackUntil: { } until, CleanedUp: false } =>
            $"`godwit rollback {status.RunId}` undoes it until {Plain.Moment(until)}; `godwit cleanup {status.RunId}` ends that sooner.",
        RunState.Running or RunState.RollingBack when status is { Owner: null, FeedHeldSince: { } since } =>
            $"No process is working on it, and what feeds {status.Table} has been held since {Plain.Moment(since)}. `godwit resume {status.RunId}` takes it over and lets the feed go on, `godwit rollback {status.RunId}` too.",
        RunState.Starting or RunState.Running or RunState.RollingBack when status.Owner is null =>
            $"No process is working on it: `godwit resume {status.RunId}` takes it over.",
        _ => "",
    };

    /// <summary>Rows, bytes, rate and the time that is left.</summary>
    public static string Copied(RunStatus status)
    {
        List<string> parts = [$"{Plain.Rows(status.RowsCopied, status.RowsTotal)} ({Plain.Percent(status.RowsCopied, status.RowsTotal)})"];
        if (status.BytesTotal > 0)
        {
            parts.Add($"{Plain.Bytes(status.BytesCopied)} of {Plain.Bytes(status.BytesTotal)}");
        }

        if (status.RowsPerSecond >= 1)
        {
            parts.Add($"{Plain.Count((long)status.RowsPerSecond)} rows/s");
        }

        if (status.EtaSeconds is { } eta)
        {
            parts.Add($"{Plain.Time(TimeSpan.FromSeconds(Math.Min(eta, int.MaxValue)))} left");
        }

        return string.Join(" · ", parts);
    }

    private static string Became(RunState state) => state switch
    {
        RunState.Paused => "is paused",
        RunState.Failed => "failed",
        RunState.FailedAtStartup => "was refused before its first step",
        RunState.RolledBack => "was rolled back, everything is as it was before",
        RunState.NeedsOperator => "needs an operator",
        _ => $"is {state}",
    };

    private static IEnumerable<(string Label, IRenderable Value)> Facts(RunStatus status, DateTimeOffset now)
    {
        yield return ("Run", Look.Words(status.RunId, Look.Strong));
        yield return ("State", Look.Words(State(status, now), Look.Of(status.State)));
        foreach (var (label, text, style) in new (string, string?, Style?)[]
        {
            ("Migration", status.Migration == Plan.ByHand ? null : status.Migration, null),
            ("Table", status.Table, null),
            ("Strategy", status.Strategy, null),
            ("Copied", status.RowsTotal > 0 || status.RowsCopied > 0 ? Copied(status) : null, null),
            ("Doing", status.Activity, null),
            ("Query", status.CurrentQueryId, Look.Quiet),
            ("Brake", status.Brake, Look.Warn),
            ("Problem", status.Problem, Look.Bad),
            ("Cutover", status.Cutover is { } figures ? Cutover(figures) : null, null),
            ("Compared", string.Join('\n', status.Findings), null),
            ("Next", Next(status), null),
        })
        {
            if (!string.IsNullOrEmpty(text))
            {
                yield return (label, Look.Words(text, style));
            }
        }
    }

    private static string State(RunStatus status, DateTimeOffset now)
    {
        var took = status.StartedAt is { } start ? $", {Plain.Time((status.FinishedAt ?? now) - start)}" : "";
        var cleaned = status.CleanedUp ? ", cleaned up" : "";
        return $"{status.State}{took}{cleaned}";
    }

    private static string Cutover(CutoverFigures figures)
    {
        List<string> parts = [figures.ExchangeMs is { } exchange ? FormattableString.Invariant($"exchange {exchange:0.#} ms") : "the exchange was not timed"];
        if (figures.VisibilityGapMs is { } gap)
        {
            parts.Add(FormattableString.Invariant($"rows invisible for at most {gap:0.#} ms"));
        }

        parts.Add($"{Plain.Count(figures.SweptRows)} late rows moved over");
        if (figures.PausedSeconds is { } held)
        {
            parts.Add(FormattableString.Invariant($"feed held for {held:0.#} s"));
        }

        return string.Join(" · ", parts);
    }
}
