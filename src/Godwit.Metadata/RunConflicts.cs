using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Metadata;

/// <summary>Which runs are in the way of another one, and what a person can do about it. The same for every store.</summary>
internal static class RunConflicts
{
    /// <summary>Refuses a run that is new or has not begun.</summary>
    /// <param name="run">The run.</param>
    /// <param name="others">All runs.</param>
    /// <param name="most">How many may be at work at once on an instance, on different tables.</param>
    public static void RefuseStart(RunRecord run, IReadOnlyList<RunRecord> others, int most)
    {
        RefuseActive(run, others, most);
        foreach (var other in others.Where(o => o.Instance == run.Instance && o.RunId != run.RunId))
        {
            if (IsSameMigration(run, other) && other.State is RunState.Failed or RunState.NeedsOperator)
            {
                throw new RunConflictException(Unfinished(other)!, other.RunId);
            }

            if (other.Tables.Intersect(run.Tables, StringComparer.Ordinal).Any() && Unfinished(other) is { } sentence)
            {
                throw new RunConflictException(sentence, other.RunId);
            }
        }
    }

    /// <summary>
    /// Refuses a run that wants to go on after a failure. Only what is active counts: while this run is unfinished, no other
    /// on its table can have begun.
    /// </summary>
    public static void RefuseActive(RunRecord run, IEnumerable<RunRecord> others, int most)
    {
        var active = others.Where(o => o.Instance == run.Instance && o.RunId != run.RunId && RunTransitions.IsActive(o.State)).ToList();
        if ((active.Find(o => IsSameMigration(run, o) || o.Tables.Intersect(run.Tables, StringComparer.Ordinal).Any()) ?? (active.Count >= most ? active[0] : null)) is { } other)
        {
            throw new RunConflictException(Active(other, most), other.RunId);
        }
    }

    /// <summary>
    /// Refuses what would put two runs to work at once. A rollback is never refused: it is the way out of trouble.
    /// </summary>
    public static void RefuseTransition(RunState from, RunRecord run, Func<IReadOnlyList<RunRecord>> others, Func<int> most)
    {
        if (RunTransitions.IsActive(from))
        {
            return;
        }

        if (run.State == RunState.Starting)
        {
            RefuseStart(run, others(), most());
        }
        else if (run.State == RunState.Running)
        {
            RefuseActive(run, others(), most());
        }
    }

    private static bool IsSameMigration(RunRecord run, RunRecord other) => run.Migration == other.Migration && run.Migration != Plan.ByHand;

    private static string Active(RunRecord other, int most)
    {
        var id = other.RunId;
        var remedy = other.State switch
        {
            RunState.Paused => $"`godwit resume {id}` or `godwit rollback {id}` first.",
            RunState.AwaitingCutover => $"`godwit cutover {id}` or `godwit rollback {id}` first.",
            _ => $"wait until it is through; `godwit status {id}` shows how far it is.",
        };
        return $"Run {id} on {other.Subject} is {other.State}, and an instance takes {(most == 1 ? "one run at a time" : $"{most} runs at a time, on different tables")}: {remedy}";
    }

    private static string? Unfinished(RunRecord other)
    {
        var id = other.RunId;
        var start = $"Run {id} on {other.Subject} is {other.State}";
        return other.State switch
        {
            RunState.Failed => $"{start}: `godwit resume {id}` or `godwit rollback {id}` first.",
            RunState.NeedsOperator =>
                $"{start}: `godwit status {id}` says what to look at, then `godwit resume {id}` or `godwit rollback {id}` first.",
            RunState.Completed when !other.CleanedUp => $"{start} and can still be rolled back; `godwit cleanup {id}` ends that.",
            _ => null,
        };
    }
}
