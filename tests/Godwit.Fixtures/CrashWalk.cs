using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using Godwit.CrashHost;
using Godwit.Runs;
using Shouldly;

namespace Godwit.Fixtures;

/// <summary>What happens at each point.</summary>
public enum CrashKind
{
    /// <summary>Godwit is killed.</summary>
    GodwitKilled,

    /// <summary>The server is killed, and started again.</summary>
    ServerKilled,

    /// <summary>The broker is killed, and started again.</summary>
    BrokerKilled,

    /// <summary>Godwit is frozen, another process brings the run to its end, and then Godwit wakes up.</summary>
    GodwitFrozen,
}

/// <summary>
/// Cuts a scenario off before and after each of its writes, lets another process go on, and compares the end with that of a run which
/// was left alone.
/// </summary>
/// <param name="engine">The server; dies at each point of <see cref="CrashKind.ServerKilled"/>.</param>
/// <param name="scenario">What is cut off.</param>
/// <param name="kind">What happens at each point.</param>
/// <param name="postgres">Keeps the runs; null for a file.</param>
/// <param name="kafka">The broker of a scenario that has one.</param>
public sealed class CrashWalk(IServerFixture engine, CrashScenario scenario, CrashKind kind, PostgresFixture? postgres = null, KafkaFixture? kafka = null)
{
    private static readonly TimeSpan HostLimit = TimeSpan.FromMinutes(3);

    /// <summary>Walks some of the points, evenly spread, or all.</summary>
    /// <param name="most">About how many points.</param>
    /// <param name="only">Only these points, such as <c>37:after</c>; null for no such choice.</param>
    /// <param name="say">Is told what happened.</param>
    /// <param name="ct">Cancels.</param>
    /// <returns>How many points were walked, and what was wrong at which of them.</returns>
    public async Task<(int Points, IReadOnlyList<string> Failures)> WalkAsync(int most, IReadOnlyList<string>? only, Action<string> say, CancellationToken ct)
    {
        var undisturbed = await PointAsync("none", null, ct);

        // An odd stride takes points before and after in turn. A single one is in the middle, where most is held.
        var stride = Math.Max(1, undisturbed.Writes * 2 / most) | 1;
        var first = most == 1 ? undisturbed.Writes : 0;
        var points = Enumerable.Range(1, undisturbed.Writes).SelectMany(n => new[] { $"{n}:before", $"{n}:after" })
            .Where((p, i) => only?.Contains(p, StringComparer.Ordinal) ?? i % stride == first)

            // Until after the first write, which makes the run, there is no lease that could end; after the last one there is nothing to be kept from.
            .Where(p => kind != CrashKind.GodwitFrozen || (p is not ("1:before" or "1:after") && p != $"{undisturbed.Writes}:after")).ToList();
        say($"{scenario.Name}: {undisturbed.Writes} writes, {points.Count} points");
        ConcurrentBag<string> failures = [];

        // What all points share dies for one of them at a time; and where Kafka is read, most of a point is waiting for it.
        var lanes = kind is CrashKind.ServerKilled or CrashKind.BrokerKilled ? 1 : Environment.ProcessorCount * (kafka is null ? 1 : 2);
        await Parallel.ForEachAsync(points, new ParallelOptions { MaxDegreeOfParallelism = lanes, CancellationToken = ct }, async (point, token) =>
        {
            try
            {
                await PointAsync(point, undisturbed, token);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                failures.Add($"{scenario.Name} {point}: {e.Message}");
                say($"{scenario.Name} {point}: {e}");
            }
        });
        return (points.Count, [.. failures.Order(StringComparer.Ordinal)]);
    }

    private async Task<Outcome> PointAsync(string point, Outcome? undisturbed, CancellationToken ct)
    {
        var folder = Directory.CreateTempSubdirectory("godwit-crash-");
        await using var table = await CrashTable.CreateAsync(scenario, engine, kafka);
        await using var waker = kind == CrashKind.BrokerKilled ? KafkaWaker.Start(engine, table.Database) : null;
        var order = new CrashOrder
        {
            Server = engine.Url,
            State = postgres?.ConnectionString ?? Path.Combine(folder.FullName, "state.db"),
            Schema = postgres is null ? null : $"crash_{Guid.NewGuid():N}",
            Verb = "run",
            Request = table.Change,
            Migration = scenario.Migration?.Replace("{db}", table.Database, StringComparison.Ordinal),
            Injections = table.Injections(scenario.Verb == "run" ? scenario.Meanwhile : scenario.Before),
        };
        if (scenario.Verb != "run")
        {
            await (scenario.Halt is null ? GoOnAsync(order, ct) : RunHostAsync(order with { Point = scenario.Halt }, ct));
            await table.InsertAsync();
            await (kind == CrashKind.BrokerKilled ? table.AwaitCommitsAsync() : Task.CompletedTask);
            order = order with { Ahead = AheadClock.PastLease, Verb = scenario.Verb, RunId = (await FindAsync(order))!.RunId, Injections = table.Injections(scenario.Meanwhile) };
        }

        var wakeFile = kind == CrashKind.GodwitFrozen && point != "none" ? Path.Combine(folder.FullName, "awake") : null;
        var host = await RunHostAsync(order with { Point = point, VictimPid = Victim(), WakeFile = wakeFile }, ct);
        try
        {
            await table.InsertAsync();
            var outcome = await FinishAsync(order, table, host, ct);
            if (host.Sleeping is not null)
            {
                await File.WriteAllTextAsync(wakeFile!, "", ct);
                await WakeAsync(host.Sleeping, host.Errors!, ct);
                (await table.ShapeAsync((await FindAsync(order))!.RunId)).ShouldBe(outcome.CleanShape, "what a process did that woke up too late");
                await table.RequireExactAsync();
            }

            if (undisturbed is not null)
            {
                (outcome.Shape == undisturbed.Shape).ShouldBeTrue($"not the same tables:\n{outcome.Shape}\nrather than\n{undisturbed.Shape}");
                (outcome.CleanShape == undisturbed.CleanShape).ShouldBeTrue($"not the same tables after the clean-up:\n{outcome.CleanShape}\nrather than\n{undisturbed.CleanShape}");
            }

            folder.Delete(recursive: true);
            return outcome;
        }
        catch (Exception e)
        {
            host.Sleeping?.Kill();
            throw new InvalidOperationException($"{host.Death}: {e.Message} (state {order.Schema ?? order.State})", e);
        }
    }

    private async Task<Outcome> FinishAsync(CrashOrder order, CrashTable table, Host host, CancellationToken ct)
    {
        await GoOnAsync(order with { Verb = scenario.Verb }, ct);
        await table.InsertAsync();
        var run = (await FindAsync(order))!;
        if (run.State == RunState.NeedsOperator && run.Problem!.Contains("had met the exchange", StringComparison.Ordinal))
        {
            // An INSERT into a view's target was cut off: the one thing of which nobody can tell whether it happened.
            await table.FeedViewAsync(run.RunId);
            await GoOnAsync(order with { Verb = scenario.Verb }, ct);
            run = (await FindAsync(order))!;
        }

        run.State.ShouldBe(scenario.End, run.Problem);
        await table.RequireExactAsync();
        var hasRetired = run is { State: RunState.Completed, CleanedUp: false };
        await table.RequireNothingLeftAsync(hasRetired ? run.RunId : null);
        var shape = await table.ShapeAsync(run.RunId);
        if (hasRetired)
        {
            await GoOnAsync(order with { Verb = "cleanup", RunId = run.RunId }, ct);
            await table.RequireNothingLeftAsync(null);
            await table.RequireExactAsync();
        }

        return new Outcome(host.Writes, shape, await table.ShapeAsync(run.RunId));
    }

    // Another process takes over: here, with a clock that is past the lease of the one that died.
    private static async Task GoOnAsync(CrashOrder order, CancellationToken ct)
    {
        var clock = new AheadClock(order.Ahead + AheadClock.PastLease);
        await using var store = await order.OpenAsync(clock);
        var run = (await store.ListRunsAsync(ct)) is [var newest, ..] ? newest : null;
        var verb = (order.Verb, run) switch
        {
            ("run", null) => "run",
            ("run", { State: RunState.Completed }) => null,
            ("run", _) => "resume",
            ("rollback", { State: RunState.RolledBack }) => null,
            ("cleanup", { CleanedUp: true }) => null,
            var (same, _) => same,
        };
        if (verb is not null)
        {
            await CrashRun.GoAsync(order with { Verb = verb, RunId = run?.RunId }, store, clock, _ => { }, ct);
        }
    }

    private static async Task<Metadata.RunRecord?> FindAsync(CrashOrder order)
    {
        await using var store = await order.OpenAsync();
        return (await store.ListRunsAsync()) is [var newest, ..] ? newest : null;
    }

    private async Task<Host> RunHostAsync(CrashOrder order, CancellationToken ct)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Godwit.CrashHost.dll"), JsonSerializer.Serialize(order)])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,

            // A killed process would leave the sockets of its debugger behind.
            Environment = { ["DOTNET_EnableDiagnostics"] = "0" },
        };
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(HostLimit);
        var process = Process.Start(start)!;
        var isSleeping = false;
        try
        {
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            var host = new Host(0, "nothing died");
            while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                if (line.StartsWith("dies ", StringComparison.Ordinal))
                {
                    host = host with { Death = line };
                    await ReviveAsync();

                    if (order.WakeFile is not null)
                    {
                        isSleeping = true;
                        return host with { Sleeping = process, Errors = errors };
                    }
                }
                else
                {
                    host = host with { Writes = int.Parse(line[..line.IndexOf(' ', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture) };
                }
            }

            await process.WaitForExitAsync(limit.Token);
            return order.Point == "none" && process.ExitCode != 0 ? throw new InvalidOperationException(await errors) : host;
        }
        finally
        {
            if (!isSleeping)
            {
                process.Kill();
                process.Dispose();
            }
        }
    }

    private int? Victim() => kind switch
    {
        CrashKind.ServerKilled => engine.Pid,
        CrashKind.BrokerKilled => kafka!.Pid,
        _ => null,
    };

    private Task ReviveAsync() => kind switch
    {
        CrashKind.ServerKilled => engine.RestartAsync(),
        CrashKind.BrokerKilled => kafka!.RestartAsync(),
        _ => Task.CompletedTask,
    };

    // It must find out that the run is not its own any more, and end without having done anything.
    private static async Task WakeAsync(Process process, Task<string> errors, CancellationToken ct)
    {
        using var wake = Process.Start("kill", ["-CONT", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await process.StandardOutput.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        (await errors).ShouldContain(nameof(Metadata.LeaseLostException));
    }

    private sealed record Host(int Writes, string Death)
    {
        /// <summary>The process, when it is frozen.</summary>
        public Process? Sleeping { get; init; }

        /// <summary>What it says on standard error until it ends.</summary>
        public Task<string>? Errors { get; init; }
    }

    private sealed record Outcome(int Writes, string Shape, string CleanShape);
}
