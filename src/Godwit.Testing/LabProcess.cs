using System.Diagnostics.CodeAnalysis;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Runs;

namespace Godwit.Testing;

/// <summary>How the work of a process ended.</summary>
/// <param name="Status">The run; null when the process died or its code threw.</param>
/// <param name="Problem">What is not as it should be; null when it is unknown to the process.</param>
internal sealed record ProcessEnd(RunStatus? Status, string? Problem)
{
    /// <summary>The moment at which it was disturbed; null when it was not.</summary>
    public Moment? CutAt { get; init; }

    /// <summary>What it did.</summary>
    public IReadOnlyList<Moment> Moments { get; init; } = [];

    /// <summary>Whether it has looked a statement up in the server's log.</summary>
    public Func<string, bool> HasLookedUp { get; init; } = _ => false;
}

/// <summary>What stands for a process with a Godwit in it: it knows nothing but the store and the server, and can be cut off from both.</summary>
internal static class LabProcess
{
    /// <summary>Works until it is done or dead.</summary>
    /// <param name="engine">The server.</param>
    /// <param name="store">The store, as it is without the process.</param>
    /// <param name="options">What the Migrator knows.</param>
    /// <param name="cut">Where it is disturbed.</param>
    /// <param name="forgotten">See <see cref="WatchedServer"/>.</param>
    /// <param name="work">What it does.</param>
    [SuppressMessage("Design", "CA1031", Justification = "A migration is code of somebody else: whatever it throws, its author is told.")]
    public static async Task<ProcessEnd> RunAsync(
        LabEngine engine, IStore store, MigratorOptions options, Cut? cut, string? forgotten, Func<Migrator, Task<RunStatus>> work)
    {
        var life = new ProcessLife(cut);
        var server = new WatchedServer(engine.Sockets, life, forgotten);
        var gateway = new ClickHouseGateway(engine.Options, server);

        // Not on this thread: code that never waits must not keep the death from being seen.
        var running = Task.Run(() => work(new Migrator(gateway, new WatchedStore(store, life), options)));
        await Task.WhenAny(running, life.Death);
        var end = new ProcessEnd(null, null) { CutAt = life.CutAt, Moments = life.Moments, HasLookedUp = server.HasLookedUp };
        if (life.Death.IsCompleted)
        {
            // Its connections are not closed: whoever waits at one must go on waiting.
            return end;
        }

        try
        {
            var status = await running;
            return end with { Status = status, Problem = status.Problem, CutAt = life.CutAt };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return end with { Problem = $"{e.GetType().Name}: {e.Message}" };
        }
        finally
        {
            gateway.Dispose();
            server.Dispose();
            life.Dispose();
        }
    }
}
