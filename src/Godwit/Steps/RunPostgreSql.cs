using System.Data.Common;
using System.Globalization;
using Godwit.Migrations;
using Godwit.Operations;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>What a step of SQL on PostgreSQL sends.</summary>
/// <param name="Forward">What does it.</param>
/// <param name="Undo">What undoes it; null for nothing.</param>
internal sealed record PostgreSqlArguments(PostgreSqlStatements Forward, PostgreSqlStatements? Undo);

/// <summary>What is journaled before a transaction is begun to be filled.</summary>
/// <param name="Transaction">Its number, which PostgreSQL remembers the end of.</param>
/// <param name="Process">The server process that it belongs to.</param>
internal sealed record PostgreSqlIntent(long Transaction, int Process);

/// <summary>Sends statements to PostgreSQL: those of a direction as one transaction, whose end can be asked for.</summary>
internal sealed class RunPostgreSql : IStep
{
    public const string Name = "postgresql";
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    public string Kind => Name;

    public Service Server => Service.PostgreSql;

    public Task ForwardAsync(StepContext context, CancellationToken ct) => SendAllAsync(context, "forward", context.Arguments<PostgreSqlArguments>().Forward, ct);

    public async Task PrepareUndoAsync(StepContext context, CancellationToken ct)
    {
        if (context.Shared<PlainSpec>().Irreversible && await HasBegunAsync(context, ct))
        {
            throw new StepFailedException(WayBack.Refusal(context.Step.Description));
        }
    }

    public async Task UndoAsync(StepContext context, CancellationToken ct)
    {
        if (context.Arguments<PostgreSqlArguments>().Undo is { Statements.Count: > 0 } undo && await HasBegunAsync(context, ct))
        {
            await SendAllAsync(context, "undo", undo, ct);
        }
    }

    private static async Task<bool> HasBegunAsync(StepContext context, CancellationToken ct)
    {
        var forward = context.Arguments<PostgreSqlArguments>().Forward;
        if (forward.InTransaction)
        {
            return await IsCommittedAsync(context, "forward", ct);
        }

        // What was about to be sent may have been.
        return context.Journal.IsDone("forward/0") || context.Journal.FindOpen<object>("forward/0") is not null;
    }

    private static async Task SendAllAsync(StepContext context, string direction, PostgreSqlStatements sql, CancellationToken ct)
    {
        if (!sql.InTransaction)
        {
            for (var i = 0; i < sql.Statements.Count; i++)
            {
                await SendAloneAsync(context, $"{direction}/{i}", sql.Statements[i], sql, ct);
            }
        }
        else if (!await IsCommittedAsync(context, direction, ct))
        {
            await PostgreSqlSource.UseAsync(context, connection => SendTogetherAsync(context, direction, sql, connection, ct), ct);
        }
    }

    private static async Task SendAloneAsync(StepContext context, string name, string statement, PostgreSqlStatements sql, CancellationToken ct)
    {
        if (context.Journal.IsDone(name))
        {
            return;
        }

        await context.Journal.IntentAsync(name, new { statement });
        await PostgreSqlSource.UseAsync(context, async connection =>
        {
            await ExecuteAsync(connection, null, Limit("SET statement_timeout", context, sql), ct);
            await context.Services.RequireLeaseAsync(ct);
            await ExecuteAsync(connection, null, statement, ct);
        }, ct);
        await context.Journal.OutcomeAsync(name, new { });
    }

    private static async Task SendTogetherAsync(StepContext context, string direction, PostgreSqlStatements sql, DbConnection connection, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await ExecuteAsync(connection, transaction, Limit("SET LOCAL statement_timeout", context, sql), ct);
        var number = (long)(await ScalarAsync(connection, transaction, "SELECT txid_current()", ct))!;
        var process = (int)(await ScalarAsync(connection, transaction, "SELECT pg_backend_pid()", ct))!;
        await context.Journal.IntentAsync(direction, new PostgreSqlIntent(number, process));
        foreach (var statement in sql.Statements)
        {
            await context.Services.RequireLeaseAsync(ct);
            await ExecuteAsync(connection, transaction, statement, ct);
        }

        await context.Services.RequireLeaseAsync(ct);
        await transaction.CommitAsync(ct);
        await context.Journal.OutcomeAsync(direction, new { transaction = number });
    }

    /// <summary>Whether the transaction of a direction has happened. One that is still open is ended: its owner is dead, or asleep.</summary>
    private static async Task<bool> IsCommittedAsync(StepContext context, string direction, CancellationToken ct)
    {
        if (context.Journal.IsDone(direction) || context.Journal.FindOpen<PostgreSqlIntent>(direction) is not { } cutOff)
        {
            return context.Journal.IsDone(direction);
        }

        string? status = null;
        await PostgreSqlSource.UseAsync(context, async connection => status = await EndAsync(connection, cutOff, ct), ct);
        switch (status)
        {
            case "committed":
                await context.Journal.OutcomeAsync(direction, new { cutOff.Transaction, foundIn = "txid_status" });
                return true;
            case "aborted":
                await context.Journal.WithdrawAsync(direction, new { cutOff.Transaction });
                return false;
            default:
                throw new NeedsOperatorException(
                    $"Transaction {cutOff.Transaction} on {context.Step.Node} for \"{context.Step.Description}\" is so long ago that PostgreSQL does not know its end any more. "
                    + "Look at the tables, and do by hand what is missing. Then `resume` goes on after it.")
                {
                    OnTold = () => context.Journal.OutcomeAsync(direction, new { foundBy = "operator" }),
                };
        }
    }

    private static async Task<string?> EndAsync(DbConnection connection, PostgreSqlIntent cutOff, CancellationToken ct)
    {
        var (number, process) = (cutOff.Transaction.ToString(CultureInfo.InvariantCulture), cutOff.Process.ToString(CultureInfo.InvariantCulture));
        while (true)
        {
            if (await ScalarAsync(connection, null, $"SELECT txid_status({number})", ct) is not "in progress" and var status)
            {
                return status as string;
            }

            // The process may have gone on to something else by now; it is ended only while it is in this transaction.
            await ExecuteAsync(
                connection, null, $"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = {process} AND backend_xid::text = ({number} & 4294967295)::text", ct);
            await Task.Delay(Period, ct);
        }
    }

    private static string Limit(string command, StepContext context, PostgreSqlStatements sql) =>
        $"{command} = {((long)((sql.Timeout ?? context.Options.StatementTimeout)?.TotalMilliseconds ?? 0)).ToString(CultureInfo.InvariantCulture)}";

    private static async Task ExecuteAsync(DbConnection connection, DbTransaction? transaction, string sql, CancellationToken ct)
    {
        await using var command = Command(connection, transaction, sql);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static async Task<object?> ScalarAsync(DbConnection connection, DbTransaction? transaction, string sql, CancellationToken ct)
    {
        await using var command = Command(connection, transaction, sql);
        return await command.ExecuteScalarAsync(ct);
    }

    private static DbCommand Command(DbConnection connection, DbTransaction? transaction, string sql)
    {
        var command = connection.CreateCommand();
        (command.CommandText, command.Transaction, command.CommandTimeout) = (sql, transaction, 0);
        return command;
    }
}
