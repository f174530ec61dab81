using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>How <see cref="PersonReplacingByVersion"/> gives a replicated table another engine: by a twin that has the rows by links and takes its place.</summary>
/// <remarks>As in <see cref="ReplicatedSchema"/>, the views that Kafka writes through are away for the moments from the links to the names; Kafka keeps what arrives.</remarks>
/// <param name="schema">The tables.</param>
/// <param name="person">The one that is meant.</param>
internal sealed class PersonTwin(PostHogSchema schema, PostHogTable person)
{
    private const string AddVersion = "add-version";

    // What tells a row from others.
    private const string Row = "team_id, id, _timestamp, _offset, version";
    private const long RowsInMemory = 10_000_000;

    /// <summary>The name of the twin until it takes the place of the table.</summary>
    public static QualifiedName Name(PostHogSchema schema) => schema.Name($"person_tmp_{PersonReplacingByVersion.Key}");

    /// <summary>What is done, up to the new table under the old name and rows arriving in it.</summary>
    /// <param name="backup">The name under which the old table is kept.</param>
    /// <param name="hasVersion">Whether the old table has the column for versions.</param>
    public IReadOnlyList<Operation> Replace(QualifiedName backup, bool hasVersion)
    {
        var views = schema.ViewsTo(person.Name);
        var pair = new TwinPair(person.Name, Name(schema));
        var after = new TwinPair(backup, person.Name);
        return
        [
            .. hasVersion ? Array.Empty<Operation>() : [new CodeOperation(AddVersion) { Arguments = person.Name, Description = $"Add the column version to {person.Name}" }],
            new CreateOperation($"CREATE TABLE {pair.Twin.ToSql()} AS {person.Name.ToSql()} ENGINE = {person.EngineAt(PostHogTable.NewPath(person.Name), "version")}"),
            .. views.Select(v => new DropOperation(v.Name)),
            TwinMerges.Hold([pair.Table, pair.Twin]),
            new LinkOperation(pair.Table, pair.Twin),
            TwinPair.Compare([pair]),
            new RenameOperation([new(pair.Table, after.Table), new(pair.Twin, after.Twin)]),
            TwinMerges.LetGoOn([after.Table, after.Twin]),
            .. views.Select(v => new CreateOperation(v.Ddl) { Description = $"Create view {v.Name}" }),
        ];
    }

    /// <summary>The comparison with its way back, and the column.</summary>
    /// <param name="broughtAt">The time of rows that PostgreSQL gave: they stay behind.</param>
    public static IReadOnlyList<MigrationCode> Code(string broughtAt) =>
    [
        new(AddVersion, (context, ct) => AlterAsync(context, false, "ADD COLUMN version UInt64", ct)) { UndoAsync = (context, ct) => AlterAsync(context, true, "DROP COLUMN version", ct) },
        .. TwinMerges.Code,
        TwinPair.Code((context, ct) => BringBackAsync(context, broughtAt, ct)),
    ];

    // Servers of 2018 know no IF [NOT] EXISTS here.
    private static async Task AlterAsync(CodeContext context, bool isThere, string command, CancellationToken ct)
    {
        var table = context.Arguments<QualifiedName>();
        var columns = await context.Migration.ClickHouse.ScalarAsync<long>(
            $"SELECT toInt64(count()) FROM system.columns WHERE database = {Sql.Literal(table.Database)} AND table = {Sql.Literal(table.Table)} AND name = 'version'", ct: ct);
        if (columns > 0 == isThere)
        {
            await context.ExecuteAsync($"ALTER TABLE {table.ToSql()} {command}", ct: ct);
        }
    }

    /// <summary>
    /// Kafka has written to the twin since: the old table gets those rows before the twin is emptied. Done twice it does the same, since a row that is
    /// there already is left out; the rows of the old table that this is asked of must fit into memory, so it is done in pieces.
    /// </summary>
    private static async Task BringBackAsync(CodeContext context, string broughtAt, CancellationToken ct)
    {
        var (table, twin) = context.Arguments<List<TwinPair>>()[0];
        var pieces = 1 + (await context.Migration.ClickHouse.ScalarAsync<long>($"SELECT toInt64(count()) FROM {table.ToSql()}", ct: ct) / RowsInMemory);
        for (var i = 0; i < pieces; i++)
        {
            var isOfPiece = $"cityHash64(id) % {pieces} = {i}";
            await context.ExecuteAsync(
                $"INSERT INTO {table.ToSql()} SELECT * FROM {twin.ToSql()} WHERE {isOfPiece} AND _timestamp != {broughtAt} AND ({Row}) NOT IN (SELECT {Row} FROM {table.ToSql()} WHERE {isOfPiece})", ct: ct);
        }

        await context.ExecuteAsync($"TRUNCATE TABLE {twin.ToSql()}", ct: ct);
    }
}
