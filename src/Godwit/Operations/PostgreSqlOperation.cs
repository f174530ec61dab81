using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Plans;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>SQL statements on the application's PostgreSQL, and those that undo them.</summary>
/// <remarks>
/// All statements of a direction are one transaction, so they happen once or not at all: when the answer to its COMMIT is lost, PostgreSQL is
/// asked what became of the transaction (<c>txid_status</c>, PostgreSQL 10 and newer).
/// </remarks>
public sealed record PostgreSqlOperation : Operation
{
    /// <summary>Statements in order.</summary>
    public PostgreSqlOperation(params string[] statements) => Forward = new PostgreSqlStatements(statements);

    /// <summary>What it does.</summary>
    public PostgreSqlStatements Forward { get; init; }

    /// <summary>What undoes it; without a statement when nothing has to be undone. Null when it is <see cref="Irreversible"/>.</summary>
    public PostgreSqlStatements? Undo { get; init; }

    /// <summary>Whether there is no way back from it.</summary>
    public bool Irreversible { get; init; }

    internal override IEnumerable<string> Problems() =>
    [
        .. Forward.Statements.Count == 0 ? ["There is no statement in postgresql."] : Forward.Problems("postgresql"),
        .. Undo?.Problems("undo") ?? [],
        .. WayBack.Problems("SQL", Undo is not null, Irreversible),
    ];

    internal override Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        if (draft.PostgreSql is not { } source)
        {
            return Task.FromResult(new OperationProposal(null, [new CheckResult("postgresql", CheckVerdict.Refused, PostgreSqlSource.Missing)]));
        }

        var description = Description ?? StatementKind.Summary(Forward.Statements[0]);
        var operation = new PlannedOperation
        {
            Kind = OperationCatalog.PostgreSql,
            Description = description,
            Irreversible = Irreversible,
            Shared = PlanFormat.ToElement(new PlainSpec(Irreversible)),
        };
        var step = draft.Step(RunPostgreSql.Name, description, new PostgreSqlArguments(Forward, Undo), PostgreSqlSource.NameOf(source));
        return Task.FromResult(new OperationProposal(new OperationPlan(operation, [.. draft.GoAhead(Irreversible, description), step]) { Reasons = WayBack.Reasons(description, Undo?.Statements) }, []));
    }
}

/// <summary>Statements for one direction, and how they are sent.</summary>
/// <param name="Statements">The statements, in order.</param>
public sealed record PostgreSqlStatements(IReadOnlyList<string> Statements)
{
    /// <summary>How long each may take; it is ended then, and the step fails. Null for as long as it takes.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// False for statements that PostgreSQL refuses within a transaction, such as CREATE INDEX CONCURRENTLY. Each is then sent by itself, and sent
    /// again when its answer is lost: write them so that this does no harm (IF NOT EXISTS).
    /// </summary>
    public bool InTransaction { get; init; } = true;

    internal IEnumerable<string> Problems(string what) =>
    [
        .. Statements.Any(string.IsNullOrWhiteSpace) ? [$"A statement of {what} is empty."] : Array.Empty<string>(),
        .. Timeout <= TimeSpan.Zero ? [$"The timeout of {what} is not more than 0."] : Array.Empty<string>(),
    ];
}
