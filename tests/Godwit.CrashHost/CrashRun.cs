using System.Diagnostics;
using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Migrations;
using Godwit.Migrations.Yaml;
using Godwit.Runs;

namespace Godwit.CrashHost;

/// <summary>Does what an order says, with the real Migrator over a store that is watched.</summary>
public static class CrashRun
{
    /// <summary>Runs it to its end, or to the point at which something dies.</summary>
    /// <param name="order">The order.</param>
    /// <param name="store">The store; stays the caller's.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="say">Is told the writes, one a line, and the death before it happens.</param>
    /// <param name="ct">Cancels.</param>
    public static async Task<RunStatus> GoAsync(CrashOrder order, IStore store, TimeProvider clock, Action<string> say, CancellationToken ct = default)
    {
        using var gateway = new ClickHouseGateway(new ClickHouseOptions { Url = order.Server });
        var left = order.Injections.ToList();
        var isDead = false;
        var frozen = new FrozenClock(clock, order.WakeFile);
        var watched = new CrashingStore(store, ReachAsync);
        var migrator = new Migrator(gateway, watched, new MigratorOptions { Clock = frozen, Migrations = Migrations(order) });
        return order.Verb switch
        {
            "resume" => await migrator.ResumeAsync(order.RunId!, ct: ct),
            "rollback" => await migrator.RollbackAsync(order.RunId!, ct: ct),
            "cleanup" => await migrator.CleanUpAsync(order.RunId!, ct: ct),
            _ => await RunAsync(),
        };

        async Task ReachAsync(int number, string name, string runId, bool isWritten)
        {
            if (isWritten)
            {
                say($"{number} {name}");
            }

            if (!isDead && IsHere(order.Point, number, name, isWritten))
            {
                isDead = true;
                say($"dies {number} {(isWritten ? "after" : "before")} {name}");
                if (order.WakeFile is not null)
                {
                    await frozen.FreezeAsync();
                    return;
                }

                using var victim = order.VictimPid is { } pid ? Process.GetProcessById(pid) : Process.GetCurrentProcess();
                victim.Kill();
                await victim.WaitForExitAsync(ct);
            }

            if (isWritten && left.Find(i => i.Entry == name) is { } injection)
            {
                left.Remove(injection);
                await injection.MakeAsync(gateway, runId);
            }
        }

        async Task<RunStatus> RunAsync()
        {
            var proposal = await (order.Migration is null
                ? migrator.ProposeAsync(order.Request!, order.Options, ct)
                : migrator.ProposeAsync(new MigrationRequest("crash"), order.Options, ct));
            var plan = proposal.Plan ?? throw new InvalidOperationException(string.Join(' ', proposal.Checks.Select(c => $"{c}")));
            return await migrator.RunAsync(await migrator.CreateRunAsync(plan, order.Options, ct), ct: ct);
        }
    }

    /// <summary>
    /// A clock that has gone on for longer than a lease when its process wakes up. Every thread must see that with its first look, also one
    /// that runs before the thread which froze the process, so a file tells it and not a variable that is set after the sleep.
    /// </summary>
    private sealed class FrozenClock(TimeProvider inner, string? wakeFile) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => inner.GetUtcNow() + (File.Exists(wakeFile) ? AheadClock.PastLease : TimeSpan.Zero);

        public async Task FreezeAsync()
        {
            using var stop = Process.Start("kill", ["-STOP", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
            await stop.WaitForExitAsync();

            // The signal stops every thread, but not before it has arrived.
            while (!File.Exists(wakeFile))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20));
            }
        }
    }

    private static MigrationSet Migrations(CrashOrder order)
    {
        if (order.Migration is null)
        {
            return MigrationSet.Empty;
        }

        var (migration, problems) = YamlReader.Read("crash.yaml", order.Migration);
        return problems.Count == 0 ? new MigrationSet([migration!]) : throw new DefinitionException(problems);
    }

    private static bool IsHere(string point, int number, string name, bool isWritten)
    {
        var colon = point.LastIndexOf(':');
        return colon > 0 && point[(colon + 1)..] == (isWritten ? "after" : "before")
            && (point[0] == '=' ? point[1..colon] == name : point[..colon] == number.ToString(CultureInfo.InvariantCulture));
    }
}
