using Godwit.Runs;

namespace Godwit.Testing;

/// <summary>Walks a migration through everything that can happen to it.</summary>
internal sealed class Checkup(Trials trials)
{
    private const string SetupDiffers =
        "The setup does not make the same world twice. Write values instead of now() or rand(), or ignore what differs:";

    private const string ResultDiffers =
        "The migration does not come to the same result twice, so that nothing can be compared. Ignore what must differ:";

    private readonly List<MigrationFault> _faults = [];
    private WorldSnapshot _before = null!;
    private WorldSnapshot _after = null!;

    /// <summary>Walks it.</summary>
    /// <exception cref="MigrationFaultException">Something is wrong.</exception>
    public async Task<CheckupReport> RunAsync()
    {
        var (forward, back) = await UndisturbedAsync();
        Report();
        await trials.Engine.WaitUntilTrustedAsync(trials.Ct);
        foreach (var moment in Chosen(forward))
        {
            await ForwardCutAsync(moment);
        }

        foreach (var moment in Chosen(back))
        {
            await BackCutAsync(moment);
        }

        Report();
        return new CheckupReport(trials.Name, forward.Count, back.Count, trials.Count);
    }

    /// <summary>Without any disturbance: forward twice, back, and forward again.</summary>
    /// <returns>The moments of both directions.</returns>
    private async Task<(IReadOnlyList<Moment> Forward, IReadOnlyList<Moment> Back)> UndisturbedAsync()
    {
        IReadOnlyList<Moment> forward = [];
        await TryAsync("Run undisturbed", async trial =>
        {
            _before = await trial.LookAsync();
            var end = await trial.ForwardAsync();
            Require(end, RunState.Completed);
            (forward, _after) = (end.Moments, await trial.LookAsync());
        });
        Report();
        IReadOnlyList<Moment> back = [];
        await TryAsync("Run undisturbed a second time", async trial =>
        {
            RequireSame(_before, await trial.LookAsync(), SetupDiffers);
            Require(await trial.ForwardAsync(), RunState.Completed);
            RequireSame(_after, await trial.LookAsync(), ResultDiffers);
        });
        Report();
        await TryAsync("Rolled back after its end", async trial =>
        {
            Require(await trial.ForwardAsync(), RunState.Completed);
            if (await trial.CanGoBackAsync())
            {
                var end = await trial.BackAsync();
                await RequireBackAsync(trial, end);
                back = end.Moments;
                await RequireForwardAsync(trial, await trial.ForwardAsync(), "run again after a rollback");
            }
        });
        return (forward, back);
    }

    private async Task ForwardCutAsync(Moment moment)
    {
        var hasLookedUp = false;
        await TryAsync($"Killed after {moment.Text}, then resumed", async trial =>
        {
            await trial.ForwardAsync(new Cut(moment.Number, CutKind.Killed));
            var end = await trial.ForwardAsync();
            await RequireForwardAsync(trial, end);
        });
        await TryAsync($"Killed after {moment.Text}, then rolled back", async trial =>
        {
            await trial.ForwardAsync(new Cut(moment.Number, CutKind.Killed));
            await GoBackAsync(trial, null);
        });
        if (moment.Statement is null)
        {
            return;
        }

        await TryAsync($"Lost the answer after {moment.Text}", async trial =>
        {
            var end = await trial.ForwardAsync(new Cut(moment.Number, CutKind.AnswerLost));
            hasLookedUp = end.CutAt?.Statement?.QueryId is { } id && end.HasLookedUp(id);
            await RequireForwardAsync(trial, end);
        });
        if (hasLookedUp)
        {
            await ForwardForgottenAsync(moment);
        }
    }

    private async Task ForwardForgottenAsync(Moment moment)
    {
        await TryAsync($"Killed after {moment.Text}, which the server's log does not tell, then resumed", async trial =>
        {
            var cut = await trial.ForwardAsync(new Cut(moment.Number, CutKind.Killed));
            var end = await trial.ForwardAsync(forgotten: cut.CutAt?.Statement?.QueryId);
            await RequireForwardAsync(trial, IsOperatorAsked(end) ? await trial.ForwardAsync() : end);
        });
        await TryAsync($"Killed after {moment.Text}, which the server's log does not tell, then rolled back", async trial =>
        {
            var cut = await trial.ForwardAsync(new Cut(moment.Number, CutKind.Killed));
            await GoBackAsync(trial, cut.CutAt?.Statement?.QueryId);
        });
    }

    private async Task BackCutAsync(Moment moment)
    {
        var hasLookedUp = false;
        await TryAsync($"Killed during the rollback after {moment.Text}, then gone on with it", async trial =>
        {
            await trial.ForwardAsync();
            await trial.BackAsync(new Cut(moment.Number, CutKind.Killed));
            await RequireBackAsync(trial, await trial.BackAsync());
        });
        if (moment.Statement is null)
        {
            return;
        }

        await TryAsync($"Lost the answer during the rollback after {moment.Text}", async trial =>
        {
            await trial.ForwardAsync();
            var end = await trial.BackAsync(new Cut(moment.Number, CutKind.AnswerLost));
            hasLookedUp = end.CutAt?.Statement?.QueryId is { } id && end.HasLookedUp(id);
            await RequireBackAsync(trial, end);
        });
        if (hasLookedUp)
        {
            await TryAsync($"Killed during the rollback after {moment.Text}, which the server's log does not tell, then gone on with it", async trial =>
            {
                await trial.ForwardAsync();
                var cut = await trial.BackAsync(new Cut(moment.Number, CutKind.Killed));
                var end = await trial.BackAsync(forgotten: cut.CutAt?.Statement?.QueryId);
                await RequireBackAsync(trial, IsOperatorAsked(end) ? await trial.BackAsync() : end);
            });
        }
    }

    /// <summary>Rolls a run back that was cut off, and runs the migration again; one that is past its point of no return goes on instead.</summary>
    private async Task GoBackAsync(Trial trial, string? forgotten)
    {
        var end = await trial.BackAsync(forgotten: forgotten);
        if (end.Status?.State == RunState.Failed && await trial.IsPastReturnAsync())
        {
            await RequireForwardAsync(trial, await trial.ForwardAsync(), "resumed after the rollback was refused");
            return;
        }

        await RequireBackAsync(trial, end);
        await RequireForwardAsync(trial, await trial.ForwardAsync(), "run again after a rollback");
    }

    private async Task RequireForwardAsync(Trial trial, ProcessEnd end, string? then = null)
    {
        Require(end, RunState.Completed, then);
        RequireSame(_after, await trial.LookAsync(), $"{Then(then)}The result is not that of the undisturbed run.");
    }

    private async Task RequireBackAsync(Trial trial, ProcessEnd end)
    {
        Require(end, RunState.RolledBack);
        RequireSame(_before, await trial.LookAsync(), "The world is not as it was before the migration.");
    }

    private static bool IsOperatorAsked(ProcessEnd end) => end.Status?.State == RunState.NeedsOperator;

    private static void Require(ProcessEnd end, RunState state, string? then = null)
    {
        if (end.Status?.State != state)
        {
            var what = end.Status is { } status ? $"The run is {status.State} rather than {state}." : $"It did not end as {state}.";
            throw new FaultFoundException($"{Then(then)}{what}\n{end.Problem}".TrimEnd());
        }
    }

    private static void RequireSame(WorldSnapshot wanted, WorldSnapshot actual, string otherwise)
    {
        if (wanted.Difference(actual) is { } difference)
        {
            throw new FaultFoundException($"{otherwise}\n{difference}");
        }
    }

    private static string Then(string? then) => then is null ? "" : $"Then {then}: ";

    /// <summary>Some of the moments, evenly spread. Nothing is left to be disturbed after the last one.</summary>
    private IEnumerable<Moment> Chosen(IReadOnlyList<Moment> moments)
    {
        var all = moments.SkipLast(1).ToList();
        var stride = Math.Max(1.0, (double)all.Count / (trials.Checkup.MostMoments ?? all.Count));
        return Enumerable.Range(0, all.Count).Select(i => (int)(i * stride)).TakeWhile(i => i < all.Count).Select(i => all[i]);
    }

    private async Task TryAsync(string when, Func<Trial, Task> act)
    {
        await using var trial = await trials.BeginAsync();
        try
        {
            await act(trial);
        }
        catch (FaultFoundException e)
        {
            _faults.Add(new MigrationFault(when, e.Message));
        }
    }

    private void Report()
    {
        if (_faults.Count > 0)
        {
            throw new MigrationFaultException(trials.Name, _faults);
        }
    }

    private sealed class FaultFoundException(string message) : Exception(message);
}
