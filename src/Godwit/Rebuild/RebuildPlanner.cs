using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Inspection;
using Godwit.Kafka;
using Godwit.Operations;
using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Rebuild;

/// <summary>Finds the cheapest right way from a table as it is to the table that is wanted, and writes it down as a plan.</summary>
internal sealed class RebuildPlanner(ClickHouseGateway gateway)
{
    private Capabilities? _capabilities;

    /// <summary>All checks and, when none blocks, the plan. Changes nothing.</summary>
    public async Task<OperationProposal> ProposeAsync(RebuildRequest request, RunOptions options, string runId, CancellationToken ct)
    {
        RequireSound(request, options);
        if (await UnsuitableAsync(request.Table, ct) is { } unsuitable)
        {
            return new OperationProposal(null, [unsuitable]);
        }

        var source = await TableReader.ReadAsync(gateway, request.Table, ct);
        var (desired, refusal) = await DesireAsync(request, source, ct);
        if (desired is null)
        {
            return new OperationProposal(null, [refusal!]);
        }

        var changes = TableChange.Between(source.Definition, desired.Definition);
        if (changes.Count == 0)
        {
            return new OperationProposal(null, [new CheckResult("something-to-do", CheckVerdict.Refused, $"Nothing to change: {source.Name} is already as you want it.")]);
        }

        var draft = await DraftAsync(request, options, source, desired, changes, ct);
        var checks = await CheckAsync(draft, ct);
        return new OperationProposal(checks.Any(c => c.Blocks) ? null : await PlanAsync(draft, runId, checks, ct), checks);
    }

    /// <summary>The checks that concern the table whatever it is to become.</summary>
    public async Task<IReadOnlyList<CheckResult>> DiagnoseAsync(QualifiedName table, CancellationToken ct)
    {
        if (await UnsuitableAsync(table, ct) is { } unsuitable)
        {
            return [unsuitable];
        }

        var source = await TableReader.ReadAsync(gateway, table, ct);
        var request = new RebuildRequest { Table = table };
        var same = new DesiredTable(source.Definition, source.Columns, source.SortingKey);
        var draft = await DraftAsync(request, new RunOptions(), source, same, [], ct) with { Way = RebuildWay.Copy };
        return await CheckAsync(draft, ct);
    }

    private static async Task<IReadOnlyList<CheckResult>> CheckAsync(RebuildDraft draft, CancellationToken ct) =>
    [
        .. await RebuildChecks.RunAsync(RebuildChecks.OfTable.Concat(RebuildChecks.OfChange), draft, ct),
        .. draft.Second is { } second
            ? await AskKafkaAsync(draft, [second.Queue.Name], draft.Options.KafkaGate with { Pause = TimeSpan.Zero }, ct)
            : await AskKafkaAsync(draft, Queues(draft).Select(s => s.Table), draft.Options.KafkaGate, ct),
    ];

    private static Task<IReadOnlyList<CheckResult>> AskKafkaAsync(RebuildDraft draft, IEnumerable<QualifiedName> tables, KafkaGateOptions options, CancellationToken ct) =>
        KafkaChecks.RunAsync(draft.Gateway, draft.Capabilities, tables, options, draft.Request.Accept, TimeProvider.System, ct);

    private static IReadOnlyList<FeedSource> Queues(RebuildDraft draft) => Holds(draft) && draft.Request.Strategy != "second-consumer" ? draft.Feed.Held : [];

    private static bool Holds(RebuildDraft draft) => draft.Way != RebuildWay.Alter && draft.Request.Strategy != "static";

    /// <summary>Whether the source's merges must stand still during the whole run.</summary>
    public static bool HoldsMerges(RebuildDraft draft) => !draft.IsWhole && FoldsRows(draft);

    /// <summary>Whether merges of the source make rows that nobody could compare with those that were copied.</summary>
    public static bool FoldsRows(RebuildDraft draft) =>
        draft.Way != RebuildWay.Alter && draft.Source.Engine.Folding != RowFolding.None && !ComparesFinal(draft);

    // Rows that a merge removed because a newer version exists may still be in the copy: FINAL shows both sides alike, as long as both
    // engines agree on what makes rows the same and which of them is the newest.
    private static bool ComparesFinal(RebuildDraft draft) =>
        draft.Way == RebuildWay.Copy && draft.Second is null && draft.Source.Engine.Folding == RowFolding.LatestVersion && !draft.ChangesIdentity
        && draft.TargetEngine.Name == draft.Source.Engine.Name && draft.TargetEngine.Arguments.SequenceEqual(draft.Source.Engine.Arguments);

    private static void RequireSound(RebuildRequest request, RunOptions options)
    {
        List<string> problems = [.. options.Problems(), .. request.Problems()];
        if (problems.Count > 0)
        {
            throw new InvalidRequestException(problems);
        }
    }

    /// <summary>Why a table is not one that can be rebuilt; null when it is.</summary>
    public async Task<CheckResult?> UnsuitableAsync(QualifiedName table, CancellationToken ct)
    {
        CheckResult Refuse(string message) => new("table", CheckVerdict.Refused, message);
        var name = await TableReader.FindEngineAsync(gateway, table, ct);
        if (name is null)
        {
            return Refuse($"There is no table {table} on {gateway.Name}. Check the name (and its quoting: \"my.db\".\"my.table\") and the user's rights.");
        }

        var engine = new TableEngine(name, []);
        return (engine.IsSupported, name) switch
        {
            (true, _) => null,
            (_, "View" or "MaterializedView" or "LiveView" or "WindowView") => Refuse($"{table} is a view, not a table that holds rows. Rebuild the table behind it."),
            (_, "Distributed") => Refuse($"{table} is Distributed: it only points to other tables. Rebuild those, on each node."),
            (_, "Kafka" or "RabbitMQ" or "NATS" or "S3Queue" or "AzureQueue") => Refuse($"{table} is a {name} table: it holds no rows. Rebuild the table that its view writes to."),
            (_, "Dictionary") => Refuse($"{table} is a dictionary. Rebuild the table that it is loaded from."),
            _ when engine.IsMergeTree => Refuse($"{table} has the engine {name}, which Godwit does not rebuild yet."),
            _ => Refuse($"{table} has the engine {name}, which has no sorting key and no parts. Only tables of the MergeTree family are rebuilt."),
        };
    }

    /// <summary>What a request makes of a table, checked by the server, or why that cannot be.</summary>
    /// <exception cref="InvalidRequestException">A part of the request cannot be read.</exception>
    public async Task<(DesiredTable? Table, CheckResult? Refusal)> DesireAsync(RebuildRequest request, TableSnapshot source, CancellationToken ct)
    {
        TableDefinition wish;
        try
        {
            wish = DesiredTable.Of(request, source.Definition);
        }
        catch (FormatException e)
        {
            throw new InvalidRequestException([e.Message]);
        }

        if (!TableEngine.Parse(wish.Engine).IsSupported)
        {
            return (null, new CheckResult("definition", CheckVerdict.Refused, $"The engine {wish.Engine} is not one that Godwit can build: use one of the MergeTree family without Replicated or Shared."));
        }

        try
        {
            return ((await CapabilitiesAsync(ct)).HasTemporaryMergeTree
                ? await DesiredTable.ProbeTemporaryAsync(gateway, wish, [], ct, source.Definition)
                : await DesiredTable.ProbeRealAsync(gateway, wish, RebuildSpec.StagingName(source.Name, Guid.NewGuid().ToString("N")[..8]), ct), null);
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            return (null, new CheckResult("definition", CheckVerdict.Refused, $"The server refuses the definition: {e.ServerMessage}"));
        }
    }

    private async Task<RebuildDraft> DraftAsync(
        RebuildRequest request, RunOptions options, TableSnapshot source, DesiredTable desired, IReadOnlyList<TableChange> changes, CancellationToken ct)
    {
        var capabilities = await CapabilitiesAsync(ct);
        var feed = await FeedReader.ReadAsync(gateway, capabilities, source.Name, ct);
        var (second, problems) = request.Strategy == "second-consumer" ? await new ConsumerReader(gateway, request, source, desired).ReadAsync(feed, ct) : (null, []);
        return new RebuildDraft
        {
            Gateway = gateway,
            Capabilities = capabilities,
            Request = request,
            Options = options,
            Source = source,
            Desired = desired,
            Feed = feed,
            Second = second,
            NoSecond = problems,
            Changes = changes,
            Way = await WayAsync(request, source, desired, changes, ct),
            Mapping = ColumnMapping.Between(source.Columns, desired.Columns, capabilities.HasInsertAllowMaterializedColumns),
        };
    }

    private async Task<RebuildWay> WayAsync(
        RebuildRequest request, TableSnapshot source, DesiredTable desired, IReadOnlyList<TableChange> changes, CancellationToken ct)
    {
        // What ALTERs would make of it is tried on a temporary table.
        var capabilities = await CapabilitiesAsync(ct);
        if (request.Strategy == "auto" && capabilities.HasTemporaryMergeTree && changes.All(c => c.Alter is not null) && await AlterSufficesAsync(source, desired, changes, ct))
        {
            return RebuildWay.Alter;
        }

        // Parts keep their merge level, and FINAL trusts it: parts that a plain MergeTree merged are not free of duplicates.
        var target = TableEngine.Parse(desired.Definition.Engine);
        var canLink = request.Strategy != "second-consumer" && capabilities.HasBlockLog
            && TableChange.IsEngineOnly(changes) && (target.Name == "MergeTree" || (target.Name == source.Engine.Name && target.Folding != RowFolding.None));
        return canLink ? RebuildWay.Link : RebuildWay.Copy;
    }

    private async Task<bool> AlterSufficesAsync(TableSnapshot source, DesiredTable desired, IReadOnlyList<TableChange> changes, CancellationToken ct)
    {
        try
        {
            var altered = await DesiredTable.ProbeTemporaryAsync(gateway, source.Definition, changes.Select(c => c.Alter!).ToList(), ct);
            return TableChange.Between(altered.Definition, desired.Definition).Count == 0;
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            // The server has no ALTER for it; the copy has no such limits.
            return false;
        }
    }

    private async Task<OperationPlan> PlanAsync(RebuildDraft draft, string runId, IReadOnlyList<CheckResult> checks, CancellationToken ct)
    {
        var follows = Holds(draft) && !draft.IsWhole;
        var late = draft is { Second: { } second, Request.MaterializeLater: true } ? LateColumns.Choose(draft.Desired, second.Identity) : [];
        var queues = Queues(draft);
        var backward = ColumnMapping.Between(draft.Desired.Columns, draft.Source.Columns, draft.Capabilities.HasInsertAllowMaterializedColumns);
        var spec = new RebuildSpec
        {
            Source = draft.Source.Name,
            SourceUuid = draft.Source.Uuid,
            Staging = RebuildSpec.StagingName(draft.Source.Name, runId),
            From = draft.Source.Definition,
            To = draft.Desired.Definition,
            Forward = [.. draft.Mapping.Where(m => !late.Contains(m.Target))],
            Late = late,
            Backward = backward,
            ForwardPartition = draft.IsWhole ? null : await PartitionAsync(draft.Desired.Definition.PartitionBy, draft.Mapping, draft.Source, ct),
            BackwardPartition = draft.IsWhole ? null : PartitionIfMapped(draft.Source.Definition.PartitionBy, draft),
            FollowsWrites = follows,
            Queues = [.. queues.Select(s => s.Table)],
            Held = [.. queues.Select(s => draft.Capabilities.HasDetachPermanently ? s.Table : s.Through[0])],
            Hooks = Holds(draft) && draft.Request.PauseHook is { } pause ? new WriterHooks(pause, draft.Request.ResumeHook!, draft.Request.HookTimeout) : null,
            IsWhole = draft.IsWhole,
            Exchanges = draft.Capabilities.HasExchange && draft.Source.DatabaseEngine == "Atomic",
            KeepsPartitions = draft.Source.Definition.PartitionBy == draft.Desired.Definition.PartitionBy,
            KeepsValues = draft.Source.Columns.Where(c => c.IsStored).All(c => new[] { draft.Mapping, backward }.All(m => m.Any(column => column.Keeps(c.Name)))),
            HashesTexts = !draft.Capabilities.HasBlockLog,
            Way = draft.IsWhole ? RebuildWay.Copy : draft.Way,
            HoldsMerges = HoldsMerges(draft),
            ComparesFinal = !draft.IsWhole && ComparesFinal(draft),
            Accepted = draft.Request.Accept,
            CanRollBackAfterCompletion = draft.Way == RebuildWay.Alter
                ? !draft.Changes.Any(c => PlanText.DestroysValues(draft, c))
                : !follows || draft.Second is not null || draft.TargetEngine.Folding != RowFolding.Any,
        };
        spec = spec with { Second = draft.Second?.Freeze(spec, runId, draft.Request.Accept.Contains("row-values", StringComparer.Ordinal)) };
        var operation = new PlannedOperation { Kind = OperationCatalog.Rebuild, Description = $"Rebuild {draft.Source.Name}", Shared = PlanFormat.ToElement(spec) };
        return new OperationPlan(operation, PlanText.Steps(draft, spec, gateway.Name))
        {
            Table = draft.Source.Name.ToString(),
            Strategy = draft.Way == RebuildWay.Alter ? "alter" : spec.Second is not null ? "second-consumer" : spec.PausesFeed ? "pause-feed" : follows ? "block-log" : "static",
            Reasons = [.. PlanText.Reasons(draft, spec), .. checks.Where(c => c.Verdict == CheckVerdict.Warning).Select(c => c.Message)],
        };
    }

    private async Task<Capabilities> CapabilitiesAsync(CancellationToken ct) => _capabilities ??= await Capabilities.ProbeAsync(gateway, ct);

    // The target's partition expression, when the source's columns can compute it; otherwise all rows are compared as one group.
    private async Task<string?> PartitionAsync(string? expression, IReadOnlyList<ColumnMapping> mapping, TableSnapshot source, CancellationToken ct)
    {
        if (expression is null || SqlText.SplitByComma(expression) is ["tuple()"])
        {
            return null;
        }

        try
        {
            var probe = new FingerprintSql(mapping, expression);
            await gateway.QueryAsync(probe.Select(probe.Mapped(source.Name.ToSql(), "0")), new QueryOptions { QueryId = WorkloadReader.OwnQueryId() }, ct);
            return expression;
        }
        catch (ClickHouseException e) when (e is not ClickHouseUnreachableException)
        {
            return null;
        }
    }

    private static string? PartitionIfMapped(string? expression, RebuildDraft draft) =>
        expression is not null && expression != "tuple()" && expression == draft.Desired.Definition.PartitionBy ? expression : null;

}
