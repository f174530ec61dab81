using System.Text.Json;
using Godwit.ClickHouse;
using Godwit.Plans;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>SQL statements on ClickHouse, and those that undo them.</summary>
/// <remarks>
/// A statement whose answer is lost is looked for in system.query_log. When nothing there tells how it ended it is sent again if that is
/// safe (see <see cref="SqlStatements.Repeatable"/>); otherwise a person is asked.
/// </remarks>
public sealed record SqlOperation : Operation
{
    /// <summary>Statements in order.</summary>
    public SqlOperation(params string[] statements) => Forward = new SqlStatements(statements);

    /// <summary>What it does.</summary>
    public SqlStatements Forward { get; init; }

    /// <summary>What undoes it, however much of it was done; without a statement when nothing has to be undone. Null when it is <see cref="Irreversible"/>.</summary>
    public SqlStatements? Undo { get; init; }

    /// <summary>On which nodes it is done, one after the other.</summary>
    public NodeScope Scope { get; init; }

    /// <summary>Whether there is no way back: from its first statement on the run cannot be rolled back.</summary>
    public bool Irreversible { get; init; }

    internal override IEnumerable<string> Problems()
    {
        foreach (var (what, sql) in new[] { ("sql", Forward), ("undo", Undo) })
        {
            if (sql is not null && ((sql == Forward && sql.Statements.Count == 0) || sql.Statements.Any(string.IsNullOrWhiteSpace)))
            {
                yield return $"A statement of {what} is empty.";
            }

            if (sql is not null && (sql.Timeout <= TimeSpan.Zero || sql.Timeout > SqlStatements.LongestTimeout))
            {
                yield return $"The timeout of {what} is not more than 0, or more than {SqlStatements.LongestTimeout.Days} days.";
            }
        }

        foreach (var problem in WayBack.Problems("SQL", Undo is not null, Irreversible))
        {
            yield return problem;
        }
    }

    internal override async Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        var description = Description ?? StatementKind.Summary(Forward.Statements[0]);
        var operation = new PlannedOperation
        {
            Kind = OperationCatalog.Sql,
            Description = description,
            Irreversible = Irreversible,
            Shared = PlanFormat.ToElement(new PlainSpec(Irreversible)),
        };
        var steps = await draft.StepsAsync(Scope, RunSql.Name, description, new SqlArguments(Forward, Undo), ct);
        return new OperationProposal(new OperationPlan(operation, [.. draft.GoAhead(Irreversible, description), .. steps]) { Reasons = WayBack.Reasons(description, Undo?.Statements) }, []);
    }
}

/// <summary>Statements for one direction, and how they are sent.</summary>
/// <param name="Statements">The statements, in order.</param>
public sealed record SqlStatements(IReadOnlyList<string> Statements)
{
    /// <summary>The longest time that anything can be given here, 30 days.</summary>
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromDays(30);

    /// <summary>Server settings for each of them.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>How long each may take; it is killed then, and the step fails. Null for as long as it takes.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Whether a statement may be sent again when nobody knows whether it had its effect. Null lets Godwit judge: CREATE and DROP with IF [NOT]
    /// EXISTS, CREATE OR REPLACE, OPTIMIZE, SYSTEM and TRUNCATE may, all others may not.
    /// </summary>
    public bool? Repeatable { get; init; }
}
