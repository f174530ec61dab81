using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;

namespace Godwit.Steps;

/// <summary>
/// Notes what identifies the rows up to the marked position that the second consumer has brought as well, so that they are not copied. It has brought all
/// of them when it has read whatever Kafka had once the position was marked.
/// </summary>
internal sealed class MarkOverlap : IStep
{
    public const string Name = "mark-overlap";

    private const string Fact = "overlap";

    public string Kind => Name;

    public async Task ForwardAsync(StepContext context, CancellationToken ct)
    {
        if (context.Journal.Has(Fact))
        {
            return;
        }

        var spec = context.Shared<RebuildSpec>();
        var (second, overlap) = (spec.Second!, HelperTables.Overlap(spec));
        await LongStatement.KillOwnAsync(context, ct);
        await new ConsumerOffsets(context, second).WaitAsync(ct, second.SecondGroup);
        context.Board.Activity = "looking for rows that the second consumer has brought as well";
        await context.ChangeAsync(
            "create-overlap", ct, $"DROP TABLE IF EXISTS {overlap.ToSql()} SYNC", $"CREATE TABLE {overlap.ToSql()} ENGINE = MergeTree ORDER BY tuple() EMPTY AS SELECT {second.Columns} FROM {spec.Source.ToSql()}");
        await LongStatement.RunAsync(
            context,
            $"INSERT INTO {overlap.ToSql()} SELECT DISTINCT {second.Columns} FROM {spec.Source.ToSql()} WHERE _block_number <= {context.Journal.Get<long>(MarkPosition.BaseFact)} AND {second.Id} IN (SELECT {second.Columns} FROM {spec.Staging.ToSql()})",
            CopyTuning.ReadSettings,
            _ => { },
            ct);
        await context.Journal.FactAsync(Fact, await context.Gateway.ScalarAsync<long>($"SELECT count() FROM {overlap.ToSql()}", ct: ct));
    }

    // It goes away with all helper tables.
    public Task UndoAsync(StepContext context, CancellationToken ct) => Task.CompletedTask;
}
