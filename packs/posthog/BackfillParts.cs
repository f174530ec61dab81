using System.Globalization;
using Godwit.ClickHouse;
using Godwit.Migrations;
using Godwit.Operations;

namespace Godwit.Pack.PostHog;

/// <summary>The copies, dictionaries and mutations of <see cref="PersonsAndGroupsOnEvents"/>.</summary>
/// <param name="schema">The tables.</param>
/// <param name="events">The one with the rows of events.</param>
internal sealed class BackfillParts(PostHogSchema schema, PostHogTable events)
{
    /// <summary>What stands in place of a person that is not known.</summary>
    public const string NoPerson = "toUUID('00000000-0000-0000-0000-000000000000')";

    private const int GroupTypes = 5;
    private const string Suffix = "_0007";
    private static readonly string[] Copied = ["person", "person_distinct_id2", "groups"];

    // What a dictionary says may change, so a replicated table wants to be told that it may be asked.
    private static readonly Dictionary<string, string> Asking = new(StringComparer.Ordinal) { ["allow_nondeterministic_mutations"] = "1" };

    /// <summary>The table with the rows of events.</summary>
    public PostHogTable Events => events;

    /// <summary>The condition for events that are to be looked at.</summary>
    public required string Bounds { get; init; }

    /// <summary>How many persons are kept in memory.</summary>
    public required long PersonCache { get; init; }

    /// <summary>How many distinct ids are.</summary>
    public required long DistinctIdCache { get; init; }

    /// <summary>How many groups are.</summary>
    public required long GroupCache { get; init; }

    /// <summary>The named collection with the login of the dictionaries; empty for none.</summary>
    public required string Collection { get; init; }

    /// <summary>The condition for events that lack a person.</summary>
    public string Lacking => $"person_id = {NoPerson} AND {Bounds}";

    // Every replica changes its parts by itself, and asks the dictionaries that it has.
    private NodeScope Everywhere => events.IsReplicated || events.IsSharded ? NodeScope.EveryNode : NodeScope.One;

    private QualifiedName Before => schema.Name($"events_before{Suffix}");

    /// <summary>What is left of an earlier attempt, if anything.</summary>
    public static CheckAnswer Leftovers(PostHogSchema schema)
    {
        var left = Copied.SelectMany(t => new[] { $"tmp_{t}{Suffix}", $"{t}{Suffix}_dict" }).Append($"events_before{Suffix}").Where(t => schema.Find(t) is not null).Select(schema.Name).ToList();
        return CheckAnswer.Require(left.Count == 0, $"{string.Join(", ", left)} is left of an earlier attempt: drop it once nobody needs it.");
    }

    /// <summary>Makes the copies and the dictionaries over them.</summary>
    public IEnumerable<Operation> Prepare()
    {
        yield return new CreateOperation($"CREATE TABLE {Before.ToSql()} AS {events.Name.ToSql()} ENGINE = {events.PlainEngine}") { Scope = Everywhere };
        yield return new LinkOperation(events.Name, Before) { Scope = Everywhere };
        foreach (var name in Copied)
        {
            // Merged to one row for each key before anybody asks, and without those that are deleted.
            var (table, copy) = (schema.Find(name) ?? throw new InvalidOperationException($"There is no {schema.Name(name)}."), Copy(name));
            var key = name switch { "person" => "team_id, id", "person_distinct_id2" => "team_id, distinct_id", _ => "team_id, group_type_index, group_key" };
            var version = name == "groups" ? "_timestamp" : "version";
            yield return new CreateOperation($"CREATE TABLE {copy.ToSql()} AS {table.Name.ToSql()} ENGINE = ReplacingMergeTree({version}) ORDER BY ({key}) SETTINGS index_granularity = 128{table.StoragePolicySetting}") { Scope = Everywhere };
            yield return new LinkOperation(table.Name, copy) { Scope = Everywhere };
            yield return new SqlOperation($"OPTIMIZE TABLE {copy.ToSql()} FINAL") { Undo = new([]), Scope = Everywhere };
            if (name != "groups")
            {
                yield return new MutationOperation(copy, "DELETE WHERE is_deleted = 1") { Undo = "", Scope = Everywhere };
            }
        }

        yield return Dictionary("person", "team_id Int64, id UUID, properties String DEFAULT '{}', created_at DateTime", "team_id, id", PersonCache);
        yield return Dictionary("person_distinct_id2", "team_id Int64, distinct_id String, person_id UUID", "team_id, distinct_id", DistinctIdCache);
        yield return Dictionary("groups", "team_id Int64, group_type_index UInt8, group_key String, group_properties String DEFAULT '{}', created_at DateTime", "team_id, group_type_index, group_key", GroupCache);
    }

    /// <summary>Fills a partition, or empties what was filled.</summary>
    public Operation Fill(string partition)
    {
        var where = $"IN PARTITION ID {Sql.Literal(partition)} WHERE";
        return new MutationOperation(events.Name, $"UPDATE {string.Join(", ", Values().Select(v => $"{v.Column} = {v.Value}"))} {where} {Lacking}")
        {
            Description = $"Fill the persons and groups of partition {partition}",

            // Whatever a run has filled had no person before, and what PostHog wrote since is not in the copy.
            Undo = $"UPDATE {string.Join(", ", Values().Select(v => $"{v.Column} = {v.Empty}"))} {where} "
                + $"uuid IN (SELECT uuid FROM {Before.ToSql()} WHERE _partition_id = {Sql.Literal(partition)} AND {Lacking})",
            Settings = Asking,
            Scope = events.Scope,
        };
    }

    /// <summary>Takes away what was made for it; the copies stay until the clean-up, for a rollback.</summary>
    public IEnumerable<Operation> CleanUp() =>
    [
        .. Copied.Select(name => new DropOperation(DictionaryOf(name)) { Scope = Everywhere }),
        .. Copied.Select(name => new DropOperation(Copy(name)) { Scope = Everywhere }),
        new DropOperation(Before) { Scope = Everywhere },
    ];

    private IEnumerable<(string Column, string Value, string Empty)> Values()
    {
        string Ask(string name, string attribute, string key) => $"dictGet({Sql.Literal($"{schema.Database}.{name}{Suffix}_dict")}, '{attribute}', tuple({key}))";
        var person = Ask("person_distinct_id2", "person_id", "team_id, distinct_id");
        yield return ("person_id", person, NoPerson);
        yield return ("person_properties", Ask("person", "properties", $"team_id, {person}"), "''");
        yield return ("person_created_at", Ask("person", "created_at", $"team_id, {person}"), "toDateTime(0)");
        for (var type = 0; type < GroupTypes; type++)
        {
            var key = string.Create(CultureInfo.InvariantCulture, $"team_id, toUInt8({type}), {(events.Ddl.Contains($"`$group_{type}`", StringComparison.Ordinal) ? $"`$group_{type}`" : "''")}");
            yield return ($"group{type}_properties", Ask("groups", "group_properties", key), "''");
            yield return ($"group{type}_created_at", Ask("groups", "created_at", key), "toDateTime(0)");
        }
    }

    private CreateOperation Dictionary(string name, string columns, string key, long cells)
    {
        var login = Collection.Length > 0 ? $"NAME {Sql.Identifier(Collection)} " : "";
        return new($"CREATE DICTIONARY {DictionaryOf(name).ToSql()} ({columns}) PRIMARY KEY {key} "
            + $"SOURCE(CLICKHOUSE({login}DB {Sql.Literal(schema.Database)} TABLE {Sql.Literal(Copy(name).Table)})) "
            + $"LIFETIME(MIN 86400 MAX 172800) LAYOUT(COMPLEX_KEY_CACHE(SIZE_IN_CELLS {cells} MAX_THREADS_FOR_UPDATES 6 ALLOW_READ_EXPIRED_KEYS 1))")
        {
            Scope = Everywhere,
        };
    }

    private QualifiedName Copy(string name) => schema.Name($"tmp_{name}{Suffix}");

    private QualifiedName DictionaryOf(string name) => schema.Name($"{name}{Suffix}_dict");
}
