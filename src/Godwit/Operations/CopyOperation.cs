using System.Data.Common;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Copying;
using Godwit.Migrations;
using Godwit.Plans;
using Godwit.Rebuild;
using Godwit.Runs;
using Godwit.Steps;

namespace Godwit.Operations;

/// <summary>Copies rows into a ClickHouse table in batches along a key, from another one or from PostgreSQL; undone by deleting them.</summary>
/// <remarks>
/// The largest key there is when it begins is the end: rows that come with larger keys later are somebody else's. Up to there nothing else may write
/// rows to the target, because a batch that was cut off is deleted by its keys and sent again. At the end the rows of both sides are counted, and
/// batches that differ (a row with a small key may be committed late) are copied again.
/// </remarks>
/// <param name="From">The table that is read; in PostgreSQL schema and table.</param>
/// <param name="To">The ClickHouse table that is filled, one of the MergeTree family.</param>
/// <param name="Key">The column of the target along which is copied: an integer, or between ClickHouse tables also a Date or DateTime.</param>
public sealed record CopyOperation(QualifiedName From, QualifiedName To, string Key) : Operation
{
    /// <summary>Where <see cref="From"/> is.</summary>
    public Service Source { get; init; } = Service.ClickHouse;

    /// <summary>Columns of the target, and the SQL over the source that gives their values; empty for all columns by their names.</summary>
    public IReadOnlyDictionary<string, string> Columns { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal);

    /// <summary>A condition over the source; null for all rows.</summary>
    public string? Where { get; init; }

    /// <summary>About how many rows are copied at a time; more when many rows have the same key.</summary>
    public long BatchRows { get; init; } = 100_000;

    internal override IEnumerable<string> Problems() =>
    [
        .. string.IsNullOrWhiteSpace(Key) ? ["A copy needs a key: the column of the target along which it goes."] : Array.Empty<string>(),
        .. Source is not (Service.ClickHouse or Service.PostgreSql) ? ["A copy reads from clickhouse or from postgresql."] : Array.Empty<string>(),
        .. BatchRows is < 1 or > 100_000_000 ? ["batchRows must be between 1 and 100000000."] : Array.Empty<string>(),
        .. Columns.Count > 0 && !Columns.ContainsKey(Key) ? [$"columns must say where the key {Key} comes from."] : Array.Empty<string>(),
    ];

    internal override async Task<OperationProposal> ProposeAsync(OperationDraft draft, CancellationToken ct)
    {
        var spec = new CopySpec(From, To, Key) { Source = Source, Columns = Columns, Where = Where, BatchRows = BatchRows };
        if (Source == Service.PostgreSql && draft.PostgreSql is null)
        {
            return new OperationProposal(null, [new CheckResult("copy", CheckVerdict.Refused, PostgreSqlSource.Missing)]);
        }

        // A table that an earlier operation of the same plan makes is looked at when its time has come.
        var problems = await TableReader.FindEngineAsync(draft.Gateway, To, ct) is null ? [] : await ProblemsAsync(draft, spec, ct);
        if (problems.Count > 0)
        {
            return new OperationProposal(null, problems.Select(p => new CheckResult("copy", CheckVerdict.Refused, p)).ToList());
        }

        var description = Description ?? $"Copy {From} into {To} by {Key}";
        var operation = new PlannedOperation { Kind = OperationCatalog.Copy, Description = description, Shared = PlanFormat.ToElement(spec) };
        var step = draft.Step(CopyBatches.Name, description, new { }) with { RowsTotal = await RowsAsync(draft, ct) };
        return new OperationProposal(new OperationPlan(operation, [step]) { Reasons = [$"A rollback of \"{description}\" deletes the rows that were copied into {To}.", .. await FedAsync(draft.Gateway, ct)] }, await draft.MissingAsync(Source == Service.ClickHouse ? [From, To] : [To], ct));
    }

    private async Task<IReadOnlyList<string>> FedAsync(ClickHouseGateway gateway, CancellationToken ct)
    {
        var rows = await gateway.QueryAsync($"SELECT length(dependencies_table) AS fed FROM system.tables WHERE {TableReader.Where(To, "name")}", ct: ct);
        var fed = rows.Sum(r => r.Int64("fed"));
        return fed == 0 ? [] : [$"{To} feeds {fed} materialized view(s): a batch that is cut off is deleted and sent again, and they would get its rows twice. Detach them, or fill their tables by another copy."];
    }

    private static async Task<IReadOnlyList<string>> ProblemsAsync(OperationDraft draft, CopySpec spec, CancellationToken ct)
    {
        if (spec.Source == Service.ClickHouse)
        {
            return (await CopyShape.ReadAsync(draft.Gateway, spec, await ClickHouseRows.ColumnsAsync(draft.Gateway, spec.From, ct), ct)).Problems;
        }

        try
        {
            await using var connection = await draft.PostgreSql!.OpenConnectionAsync(ct);
            return (await CopyShape.ReadAsync(draft.Gateway, spec, await PostgreSqlRows.ColumnsAsync(connection, spec.From, ct), ct)).Problems;
        }
        catch (DbException e)
        {
            return [$"PostgreSQL {PostgreSqlSource.NameOf(draft.PostgreSql!)} cannot be asked for {spec.From}: {e.Message.TrimEnd('.')}. Look at its address and its login."];
        }
    }

    // For the progress alone: counting a large table of PostgreSQL reads it, so it is not asked there.
    private async Task<long?> RowsAsync(OperationDraft draft, CancellationToken ct) =>
        Source == Service.ClickHouse && await TableReader.FindEngineAsync(draft.Gateway, From, ct) is not null
            ? await draft.Gateway.ScalarAsync<long>($"SELECT count() FROM {From.ToSql()}{(Where is null ? "" : $" WHERE {Where}")}", ct: ct)
            : null;
}

/// <summary>What the step of a <see cref="CopyOperation"/> shares; see there.</summary>
internal sealed record CopySpec(QualifiedName From, QualifiedName To, string Key) : IOperationSpec
{
    public required Service Source { get; init; }

    public required IReadOnlyDictionary<string, string> Columns { get; init; }

    public string? Where { get; init; }

    public required long BatchRows { get; init; }

    QualifiedName? IOperationSpec.BrakedTable => To;

    bool IOperationSpec.CanRollBackAfterCompletion => true;

    bool IOperationSpec.LeavesRetired => false;
}
