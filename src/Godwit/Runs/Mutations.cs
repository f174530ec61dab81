using System.Globalization;
using System.Text.RegularExpressions;
using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Runs;

/// <summary>A mutation as the server tells of it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Command">Its commands as the server writes them.</param>
/// <param name="IsDone">Whether it has ended.</param>
/// <param name="PartsToDo">How many parts it has not rewritten yet.</param>
/// <param name="FailReason">Why a part could not be rewritten the last time; empty when none failed, or the server is too old to tell.</param>
internal sealed record Mutation(string Id, string Command, bool IsDone, long PartsToDo, string FailReason);

/// <summary>Reads mutations and follows them to their end.</summary>
internal static partial class Mutations
{
    private const string Prefix = "ALTER TABLE t ";
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    /// <summary>How long the server may try a part again and again for a reason that may pass.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    /// <summary>The mutations that a table remembers, the oldest first.</summary>
    public static async Task<IReadOnlyList<Mutation>> ListAsync(ClickHouseGateway gateway, QualifiedName table, CancellationToken ct)
    {
        // The columns of the failure came with later versions.
        var rows = await gateway.QueryAsync($"SELECT * FROM system.mutations WHERE {TableReader.Where(table, "table")} ORDER BY create_time, mutation_id", ct: ct);
        return rows.GroupBy(r => r["mutation_id"], StringComparer.Ordinal).Select(g => new Mutation(
            g.Key,
            string.Join(", ", g.Select(r => r["command"])),
            g.All(r => r.Int64("is_done") == 1),
            g.Max(r => r.Int64("parts_to_do")),
            g.First() is var first && first.Columns.Contains("latest_fail_reason", StringComparer.Ordinal) ? Reason(first["latest_fail_reason"]) : "")).ToList();
    }

    /// <summary>A command in the server's own writing, to be compared with those of <see cref="ListAsync"/>.</summary>
    /// <returns>Null when the server is too old to tell.</returns>
    /// <exception cref="ClickHouseException">It is no command.</exception>
    public static async Task<string?> FormatAsync(ClickHouseGateway gateway, string command, CancellationToken ct)
    {
        try
        {
            var text = await gateway.ScalarAsync<string>($"SELECT formatQuerySingleLine({Sql.Literal(Prefix + command)})", ct: ct);
            return Normal(text[Prefix.Length..]);
        }
        catch (ClickHouseException e) when (e.Code == ClickHouseErrorCodes.UnknownFunction)
        {
            return null;
        }
    }

    /// <summary>Commands without what the server writes now this way, now that: blanks, and brackets around a whole command.</summary>
    public static string Normal(string commands) => string.Join(
        " , ",
        SqlText.SplitByComma(commands).Select(SqlText.WithoutBrackets).Select(c => string.Join(' ', SqlText.Tokens(c).Select(t => c[t.Start..t.End]))));

    /// <summary>Waits for a mutation to end, and shows how far it is.</summary>
    /// <param name="context">The step.</param>
    /// <param name="table">The table.</param>
    /// <param name="id">The mutation.</param>
    /// <param name="ct">Ends the waiting; the server goes on.</param>
    /// <returns>False when the server does not know it any more: somebody has killed it, or it ended long ago.</returns>
    /// <exception cref="StepFailedException">It fails again and again.</exception>
    public static async Task<bool> FollowAsync(StepContext context, QualifiedName table, string id, CancellationToken ct)
    {
        var progress = await MutationProgress.BeginAsync(context, table, id, ct);
        long? failingSince = null;
        while (true)
        {
            if ((await ListAsync(context.Gateway, table, ct)).FirstOrDefault(m => m.Id == id) is not { } mutation)
            {
                return false;
            }

            if (mutation.IsDone)
            {
                context.Board.Brake = null;
                return true;
            }

            failingSince = mutation.FailReason.Length == 0 ? null : failingSince ?? context.Clock.GetTimestamp();
            if (failingSince is { } since && (!MayPass(mutation.FailReason) || context.Clock.GetElapsedTime(since) >= Patience))
            {
                throw new StepFailedException(
                    $"Mutation {id} of {table} on {context.Step.Node} fails: {mutation.FailReason}. The server goes on trying: mend the cause and `resume`, or `rollback`, which kills it.");
            }

            context.Board.Brake = failingSince is null ? null : $"mutation {id} is tried again: {mutation.FailReason}";
            context.Board.Activity = $"mutation {id} of {table}: {mutation.PartsToDo} parts to do";
            await progress.ShowAsync(ct);
            await Task.Delay(Period, context.Clock, ct);
        }
    }

    // The server keeps the reason with its stack trace, and with the command's secrets.
    private static string Reason(string text) => SecretMask.Apply(ServerError.Parse(text) is { } error ? $"Code: {error.Code}. {error.Message}" : text);

    private static bool MayPass(string reason) =>
        Code().Match(reason) is { Success: true } match && ClickHouseErrorCodes.IsTransient(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture));

    [GeneratedRegex("^Code: ([0-9]{1,6})")]
    private static partial Regex Code();
}
