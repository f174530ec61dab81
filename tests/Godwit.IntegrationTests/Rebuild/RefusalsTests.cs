using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Rebuild;
using Godwit.Runs;
using Shouldly;
using Xunit;

namespace Godwit.IntegrationTests.Rebuild;

/// <summary>Bad input, part of the sentence that answers it, and nothing that has changed on the server.</summary>
public sealed class RefusalsTests(RealEngine real)
{
    private const string Plain = "CREATE TABLE @t (k UInt32, s String, n Nullable(UInt32), v UInt64) ENGINE = MergeTree ORDER BY k";
    private const string Rows = "INSERT INTO @t SELECT number, if(number = 7, 'seven', toString(number)), if(number = 9, NULL, number), number * 100 FROM numbers(1000)";
    private static readonly RebuildRequest Any = new() { Table = new("?", "t"), OrderBy = "(v, k)" };

    private static readonly Dictionary<string, Case> Cases = new(StringComparer.Ordinal)
    {
        ["a table that is missing"] = new([], Any, "There is no table"),
        ["a view"] = new(["CREATE VIEW @t AS SELECT 1"], Any, "is a view, not a table that holds rows"),
        ["a materialized view"] = new(["CREATE TABLE @x (a UInt8) ENGINE = Memory", "CREATE MATERIALIZED VIEW @t ENGINE = MergeTree ORDER BY a AS SELECT a FROM @x"], Any, "is a view, not a table that holds rows"),
        ["a table in memory"] = new(["CREATE TABLE @t (a UInt8) ENGINE = Memory"], Any, "has the engine Memory"),
        ["a log"] = new(["CREATE TABLE @t (a UInt8) ENGINE = Log"], Any, "has the engine Log"),
        ["a table on another server"] = new(["CREATE TABLE @t AS remote('127.0.0.1', 'system', 'one')"], Any, "has the engine Proxy"),
        ["a distributed table"] = new([Plain.Replace("@t", "@x", StringComparison.Ordinal), "CREATE TABLE @t AS @x ENGINE = Distributed('alone', '{db}', 'x')"], Any, "is Distributed: it only points to other tables"),
        ["a queue"] = new(
            ["CREATE TABLE @t (a UInt8) ENGINE = Kafka SETTINGS kafka_broker_list = '127.0.0.1:1', kafka_topic_list = 'x', kafka_group_name = 'g', kafka_format = 'TSV'"], Any, "is a Kafka table: it holds no rows"),
        ["a dictionary"] = new(["CREATE DICTIONARY @t (k UInt64, v UInt64) PRIMARY KEY k SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(0)"], Any, "is a dictionary"),
        ["a buffer on top"] = new([Plain, "CREATE TABLE @b AS @t ENGINE = Buffer('{db}', 't', 1, 10, 100, 10, 100, 1000, 10000)"], Any, "writes to"),
        ["the inner table of a view"] = new(
            ["CREATE TABLE @x (k UInt8, v UInt8) ENGINE = Memory", "CREATE MATERIALIZED VIEW @mv ENGINE = MergeTree ORDER BY k AS SELECT k, v FROM @x"], Any with { Table = new("?", ".inner") }, "hidden table of a materialized view"),
        ["an expression that the server refuses"] = new([Plain], Any with { OrderBy = "noSuchFunction(k)" }, "The server refuses the definition", "noSuchFunction"),
        ["an expression that is no SQL"] = new([Plain], Any with { OrderBy = "(k,," }, "k,,"),
        ["an unknown column in the key"] = new([Plain], Any with { OrderBy = "(k, nothing)" }, "nothing"),
        ["an unknown column to drop"] = new([Plain], new() { Table = Any.Table, DropColumns = ["nothing"] }, "--drop-column nothing: the table has no such column"),
        ["an unknown column to modify"] = new([Plain], new() { Table = Any.Table, ModifyColumns = ["nothing UInt8"] }, "nothing"),
        ["a column that is there already"] = new([Plain], new() { Table = Any.Table, AddColumns = ["s String"] }, "s"),
        ["nothing asked"] = new([Plain], new() { Table = Any.Table }, "Nothing is asked for"),
        ["nothing to change"] = new([Plain], Any with { OrderBy = "k" }, "Nothing to change"),
        ["a column that cannot be cast"] = new([Plain, Rows], Any with { ModifyColumns = ["s UInt64"] }, "Column s cannot become UInt64", "1 row(s)", "(7)"),
        ["a NULL that has no place"] = new([Plain, Rows], Any with { ModifyColumns = ["n UInt32"] }, "Column n cannot become UInt32", "1 row(s)", "(9)"),
        ["a cast that loses"] = new([Plain, Rows], Any with { ModifyColumns = ["v UInt16"] }, "Column v cannot become UInt16 without loss", "344 row(s)"),
        ["a cast in place that loses"] = new([Plain, Rows], new() { Table = Any.Table, ModifyColumns = ["v UInt16"] }, "Column v cannot become UInt16 without loss", "344 row(s)"),
        ["a cast that fails, accepted"] = new([Plain, Rows], Any with { ModifyColumns = ["s UInt64"], Accept = ["column-cast"] }, "Column s cannot become UInt64", "Mend these rows first"),
        ["a brake that writes"] = new([Plain], Any, "readonly mode") { Options = new RunOptions { BrakeSql = ["CREATE DATABASE godwit_brake"] } },
        ["another identity"] = new([Plain, Rows], Any with { OrderBy = "k % 10", Engine = "ReplacingMergeTree(v)" }, "of 1000 rows, 990 would be folded away", "--accept key-identity"),
        ["a failing mutation"] = new(
            [Plain, Rows, "ALTER TABLE @t UPDATE v = throwIf(k = 1, 'it fails') WHERE 1 SETTINGS mutations_sync = 0, allow_nondeterministic_mutations = 1, validate_mutation_query = 0"],
            Any, "1 mutation(s)", "KILL MUTATION"),
        ["no disk left"] = new([Plain, Rows], Any, "--min-free-disk") { Options = new RunOptions { MinFreeDisk = 1L << 60 } },
        ["tables of an earlier run"] = new([Plain, "CREATE TABLE @t_godwit_abcd2345 AS @t"], Any, "An earlier run", "t_godwit_abcd2345"),
        ["a landing table of an earlier run"] = new([Plain, "CREATE TABLE @t_godwit_abcd2345_l3 AS @t"], Any, "An earlier run", "t_godwit_abcd2345_l3"),
        ["a TTL with GROUP BY"] = new(
            ["CREATE TABLE @t (k UInt32, d Date, v UInt64) ENGINE = MergeTree ORDER BY (k, d) TTL d + toIntervalYear(50) GROUP BY k SET v = sum(v)"], Any with { OrderBy = "(k, v)" }, "GROUP BY"),
        ["a definition that is none"] = new([Plain], new() { Table = Any.Table, Ddl = "hello (" }, "CREATE TABLE"),
        ["an empty definition"] = new([Plain], new() { Table = Any.Table, Ddl = "" }, "CREATE TABLE"),
        ["two definitions"] = new([Plain], new() { Table = Any.Table, Ddl = "CREATE TABLE t (k UInt32) ENGINE = MergeTree ORDER BY k; DROP TABLE t" }, ";"),
        ["a definition of a log"] = new([Plain], new() { Table = Any.Table, Ddl = "CREATE TABLE t (k UInt32) ENGINE = Log" }, "The engine Log is not one"),
        ["a definition and single changes"] = new([Plain], Any with { Ddl = "CREATE TABLE t (k UInt32) ENGINE = MergeTree ORDER BY k" }, "cannot be combined"),
        ["a replicated engine"] = new([Plain], Any with { Engine = "ReplicatedMergeTree" }, "ReplicatedMergeTree"),
        ["a key column dropped"] = new([Plain], new() { Table = Any.Table, DropColumns = ["k"] }, "k"),
        ["a setting that does not exist"] = new([Plain], new() { Table = Any.Table, Settings = ["no_such_setting=1"] }, "no_such_setting"),
        ["a setting without a value"] = new([Plain], new() { Table = Any.Table, Settings = ["index_granularity"] }, "is not a setting"),
        ["a setting of the wrong type"] = new([Plain], new() { Table = Any.Table, Settings = ["index_granularity=many"] }, "many"),
        ["a primary key that is no prefix"] = new([Plain], Any with { PrimaryKey = "s" }, "The server refuses the definition"),
        ["a strategy that does not exist"] = new([Plain], Any with { Strategy = "magic" }, "--strategy magic does not exist"),
        ["an option out of bounds"] = new([Plain], Any, "--threads must be between") { Options = new RunOptions { Threads = 0 } },
    };

    public static TheoryData<string> Names => new(Cases.Keys);

    [Theory]
    [MemberData(nameof(Names))]
    public async Task BadInputIsAnsweredWithASentenceAndChangesNothing(string what)
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        var (setup, request, sentences) = (Cases[what].Setup, Cases[what].Request, Cases[what].Sentences);
        await c.SqlAsync(setup.Select(s => s.Replace("{db}", c.Database, StringComparison.Ordinal)).ToArray());
        var table = request.Table.Table == ".inner"
            ? await c.AskAsync<string>($"SELECT name FROM system.tables WHERE database = '{c.Database}' AND startsWith(name, '.inner')")
            : request.Table.Table;
        var before = await c.EverythingAsync();

        var answer = await AnswerAsync(c, request with { Table = new QualifiedName(c.Database, table) }, Cases[what].Options);

        foreach (var sentence in sentences)
        {
            answer.ShouldContain(sentence, Case.Sensitive);
        }

        (await c.EverythingAsync()).ShouldBe(before);
    }

    [Fact]
    public async Task A_buffer_before_a_table_of_that_name_in_another_database_is_no_feed()
    {
        await using var c = await RebuildCase.NewAsync(real.Engine);
        await using var other = await RebuildCase.NewAsync(real.Engine);
        await c.SqlAsync(Plain);
        await other.SqlAsync(Plain, $"CREATE TABLE @b AS @t ENGINE = Buffer('{other.Database}', 't', 1, 10, 100, 10, 100, 1000, 10000)");

        var proposal = await c.Migrator.ProposeAsync(Any with { Table = c.Table }, new RunOptions(), RebuildCase.Ct);

        proposal.Plan.ShouldNotBeNull(string.Join(' ', proposal.Checks));
    }

    private static async Task<string> AnswerAsync(RebuildCase c, RebuildRequest request, RunOptions options)
    {
        try
        {
            var proposal = await c.Migrator.ProposeAsync(request, options, RebuildCase.Ct);
            proposal.Plan.ShouldBeNull();
            proposal.Checks.ShouldContain(r => r.Blocks);
            proposal.Checks.ShouldNotContain(r => r.Verdict == CheckVerdict.Unreadable);
            return string.Join(Environment.NewLine, proposal.Checks.Where(r => r.Blocks).Select(r => r.Message));
        }
        catch (InvalidRequestException e)
        {
            return e.Message;
        }
    }

    private sealed record Case(string[] Setup, RebuildRequest Request, params string[] Sentences)
    {
        public const Shouldly.Case Sensitive = Shouldly.Case.Sensitive;

        public RunOptions Options { get; init; } = new();
    }
}
