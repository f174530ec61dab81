using Godwit.ClickHouse;
using Godwit.Kafka;

namespace Godwit.Rebuild;

/// <summary>Finds out whether a table can have a second consumer, and what that is made of.</summary>
/// <param name="gateway">The server.</param>
/// <param name="request">What is asked for.</param>
/// <param name="source">The table as it is.</param>
/// <param name="desired">The table as it is to be.</param>
internal sealed class ConsumerReader(ClickHouseGateway gateway, RebuildRequest request, TableSnapshot source, DesiredTable desired)
{
    private const string Instead = "Use --strategy pause-feed.";

    private readonly List<string> _problems = [];

    /// <summary>Reads it, and everything that stands in the way.</summary>
    public async Task<(ConsumerDraft? Second, IReadOnlyList<string> Problems)> ReadAsync(Feed feed, CancellationToken ct)
    {
        var identity = Identity();
        RequireEngines(identity);
        if ((await FedView.FindAsync(gateway, source.Name, ct)) is [var fed, ..])
        {
            _problems.Add($"The materialized view {fed.Name} reads what is inserted into {source.Name}: at the cutover, where another consumer takes over that stands at other messages, it would miss some and see some twice. {Instead}");
        }

        if (feed.Sources is not [{ Engine: "Kafka", Through: [var through, ..] and { Count: <= 2 } } only])
        {
            _problems.Add(feed.Sources.Count == 0
                ? $"No Kafka table writes to {source.Name} on this server. Use --strategy block-log."
                : $"Only one Kafka table may write to {source.Name}, through one view and at most a Distributed table: {string.Join(", ", feed.Sources)} is something else. {Instead}");
            return (null, _problems);
        }

        var (queue, problem) = await KafkaTable.ReadAsync(gateway, only.Table, ct);
        _problems.AddRange(problem is null ? [] : [$"{problem} {Instead}"]);
        var view = await ViewAsync(only.Table, through, ct);
        var spread = only.Through is [_, var over] ? await SpreadAsync(over, ct) : null;
        if (queue is not null)
        {
            await RequireBrokerAsync(queue, ct);
        }

        var uuid = await TableReader.FindUuidAsync(gateway, only.Table, ct);
        return queue is not null && view is not null && uuid is { } id && _problems.Count == 0 ? (new ConsumerDraft(queue, id, view, spread, identity), []) : (null, _problems);
    }

    private List<string> Identity()
    {
        var columns = SqlText.SplitByComma(SqlText.WithoutBrackets(request.Identity ?? "uuid")).Select(SqlText.Unquote).ToList();
        foreach (var column in columns)
        {
            var (before, after) = (source.Columns.FirstOrDefault(c => c.Name == column), desired.Columns.FirstOrDefault(c => c.Name == column));
            if (before is not { IsStored: true })
            {
                _problems.Add($"{source.Name} has no column {column} that could tell a message from all others: name the columns that do with --identity 'a, b'.");
            }
            else if (before.Type != after?.Type || before.Type.Contains("Nullable(", StringComparison.Ordinal))
            {
                _problems.Add($"--identity: {column} must be the same in both tables and not Nullable; it is {before.Type} and becomes {after?.Type ?? "nothing"}. {Instead}");
            }
        }

        return columns;
    }

    // Rows of one key become one when they are inserted together, and the two consumers insert in other blocks.
    private void RequireEngines(List<string> identity)
    {
        foreach (var (engine, key) in new[] { (source.Engine, source.SortingKey), (TableEngine.Parse(desired.Definition.Engine), desired.SortingKey) })
        {
            if (engine.Folding == RowFolding.None)
            {
                continue;
            }

            var words = SqlText.Tokens(key).Select(t => SqlText.Unquote(key[t.Start..t.End])).ToHashSet(StringComparer.Ordinal);
            if (engine.Name != "ReplacingMergeTree" || !identity.All(words.Contains))
            {
                _problems.Add($"{engine.Name} makes one row of those that have the same ({key}), so messages cannot be told apart by {string.Join(", ", identity)} any more. {Instead}");
            }
        }
    }

    private async Task<FedView?> ViewAsync(QualifiedName queue, QualifiedName through, CancellationToken ct)
    {
        var views = await FedView.FindAsync(gateway, queue, ct);
        if (views is not [var view] || view.Name != through)
        {
            _problems.Add($"{queue} feeds {string.Join(", ", views.Select(v => v.Name))}: after the cutover the second Kafka table takes its name, so it may feed nothing but {source.Name}. {Instead}");
            return null;
        }

        if (view.Over(queue, queue) is null)
        {
            _problems.Add($"{view.Name} does not read {queue} directly, so the same view over another Kafka table cannot be written down. {Instead}");
        }

        return view;
    }

    private async Task<DistributedTable?> SpreadAsync(QualifiedName over, CancellationToken ct)
    {
        var table = await DistributedTable.ReadAsync(gateway, over, ct);
        if (table is null)
        {
            _problems.Add($"{over} stands between the view and {source.Name}, and only a Distributed table may. {Instead}");
        }
        else if (!await table.IsLocalAsync(gateway, ct))
        {
            _problems.Add($"{over} spreads rows over the cluster {table.Cluster}, and a second consumer fills the new table of this server only: the cluster must be this server alone. {Instead}");
        }

        return table;
    }

    // Macros that are something else for the second table.
    private List<string> OwnNames(KafkaTable queue) => ["{table}", "{uuid}", .. queue.Name.Database == source.Name.Database ? Array.Empty<string>() : ["{database}"]];

    private async Task RequireBrokerAsync(KafkaTable queue, CancellationToken ct)
    {
        var sql = queue.CreateSql(queue.Name, queue.Group);
        if (sql is null)
        {
            _problems.Add($"The definition of {queue.Name} has a secret that ClickHouse does not show, so a second one cannot be made like it. {Instead}");
        }
        else if (OwnNames(queue).Find(n => sql.Contains(n, StringComparison.Ordinal)) is { } own)
        {
            _problems.Add($"The definition of {queue.Name} has {own} in it, which would be something else for a second one of another name. {Instead}");
        }

        if (await gateway.QueryAsync($"SELECT engine FROM system.databases WHERE name = {Sql.Literal(queue.Name.Database)}", ct: ct) is [var database] && database["engine"] != "Atomic")
        {
            _problems.Add($"{queue.Name} is in a database of the engine {database["engine"]}, in which names cannot be exchanged. {Instead}");
        }

        try
        {
            using var client = new KafkaClient(queue.Brokers, TimeProvider.System);
            await client.CommittedAsync(queue.Group, await client.PartitionsAsync(queue.Topics, ct), ct);
        }
        catch (KafkaException e)
        {
            _problems.Add($"The offsets of {queue.Name} cannot be read, and a second consumer must begin where the first one stands. {e.Message}");
        }
    }
}
