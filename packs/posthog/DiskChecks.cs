using Godwit.ClickHouse;
using Godwit.Migrations;

namespace Godwit.Pack.PostHog;

/// <summary>Questions about free disk. The disks are those of the table's storage policy, all of them together.</summary>
internal static class DiskChecks
{
    private const string NotTold = "This server does not tell how much disk is free: look yourself.";

    /// <summary>A run is stopped when less than this is free: below it ClickHouse fails in ways that are hard to mend.</summary>
    public const long LeastFree = 100_000_000;

    /// <summary>Whether so many times the bytes of a table are free.</summary>
    public static async Task<CheckAnswer> RequireTimesAsync(MigrationContext context, QualifiedName table, double times, CancellationToken ct)
    {
        if (await FreeAsync(context.ClickHouse, table, ct) is not { } free)
        {
            return CheckAnswer.Warn(NotTold);
        }

        var bytes = await context.ClickHouse.ScalarAsync<long>(
            $"SELECT toInt64(sum(bytes_on_disk)) FROM system.parts WHERE database = {Sql.Literal(table.Database)} AND table = {Sql.Literal(table.Table)} AND active", ct: ct);
        var needed = (long)(bytes * times);
        return free >= needed
            ? CheckAnswer.Ok($"{Megabytes(free)} are free; {Megabytes(needed)} are needed, {times:0.0} times {table}.")
            : CheckAnswer.Refuse($"{Megabytes(free)} are free and {Megabytes(needed)} are needed, {times:0.0} times {table}: free space, or add a disk to its storage policy.");
    }

    /// <summary>Whether enough is free to go on.</summary>
    public static async Task<CheckAnswer> RequireLeastAsync(MigrationContext context, QualifiedName table, CancellationToken ct) =>
        await FreeAsync(context.ClickHouse, table, ct) switch
        {
            null => CheckAnswer.Ok(NotTold),
            >= LeastFree => CheckAnswer.Ok(),
            var free => CheckAnswer.Refuse($"Only {Megabytes(free.Value)} are free on the disks of {table}. Free space, then `resume`; `rollback` gives back what the run has taken."),
        };

    private static string Megabytes(long bytes) => $"{bytes / 1_000_000} MB";

    private static async Task<long?> FreeAsync(ClickHouseGateway gateway, QualifiedName table, CancellationToken ct)
    {
        // There are no disks in the system tables of servers from before 19.15.
        if (await gateway.ScalarAsync<long>("SELECT toInt64(count()) FROM system.tables WHERE database = 'system' AND name = 'disks'", ct: ct) == 0)
        {
            return null;
        }

        // A table has no disks while its name changes hands, which is no reason to stop.
        return (await gateway.QueryAsync(
            $"""
             SELECT toInt64(sum(least(free_space, 4000000000000000000))) AS free FROM system.disks WHERE name IN (
                 SELECT arrayJoin(disks) FROM system.storage_policies WHERE policy_name IN (
                     SELECT storage_policy FROM system.tables WHERE database = {Sql.Literal(table.Database)} AND name = {Sql.Literal(table.Table)}))
             HAVING count() > 0
             """,
            ct: ct)) is [var disks] ? disks.Int64("free") : null;
    }
}
