using System.Globalization;
using System.Text.RegularExpressions;
using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Kafka;

/// <summary>
/// A table of ClickHouse's engine Kafka, as far as its feed must be understood: which broker, topics and group. Its definition may have them as arguments,
/// <c>Kafka('broker:9092', 'topic', 'group', 'JSONEachRow')</c>, as settings, <c>Kafka SETTINGS kafka_broker_list = …</c>, or half and half.
/// https://clickhouse.com/docs/engines/table-engines/integrations/kafka
/// </summary>
internal sealed partial record KafkaTable
{
    private const int DefaultPort = 9092;

    // The settings that the arguments stand for, in their order; null for what is not used any more.
    private static readonly string?[] Arguments =
    [
        "kafka_broker_list", "kafka_topic_list", "kafka_group_name", "kafka_format", null, "kafka_schema", "kafka_num_consumers", "kafka_max_block_size",
        "kafka_skip_broken_messages", "kafka_commit_every_batch", "kafka_client_id", "kafka_poll_timeout_ms", "kafka_flush_interval_ms", "kafka_thread_per_consumer",
        "kafka_handle_error_mode", "kafka_commit_on_select", "kafka_max_rows_per_message",
    ];

    /// <summary>The table.</summary>
    public required QualifiedName Name { get; init; }

    /// <summary>Its CREATE TABLE statement in parts, as the server tells it.</summary>
    public required TableDefinition Definition { get; init; }

    /// <summary>The brokers, host:port each, as ClickHouse sees them.</summary>
    public required IReadOnlyList<string> Brokers { get; init; }

    /// <summary>The topics.</summary>
    public required IReadOnlyList<string> Topics { get; init; }

    /// <summary>The consumer group, whose offsets are where the table reads on.</summary>
    public required string Group { get; init; }

    /// <summary>The format of the messages.</summary>
    public required string Format { get; init; }

    /// <summary>How many consumers it has on each server.</summary>
    public int Consumers { get; init; } = 1;

    /// <summary>How many messages of a block that cannot be parsed are left out without a word.</summary>
    public long SkipsBroken { get; init; }

    /// <summary>What happens to messages that cannot be parsed: <c>default</c> (an error), <c>stream</c> or <c>dead_letter_queue</c>.</summary>
    public string ErrorMode { get; init; } = "default";

    /// <summary>How long a block is collected, which is how long a view that was detached may still write; null for the server's own (7.5 s unless set).</summary>
    public TimeSpan? FlushInterval { get; init; }

    /// <summary>Reads a table from a server. What cannot be used is null, with a sentence that says why.</summary>
    public static async Task<(KafkaTable? Table, string? Problem)> ReadAsync(ClickHouseGateway gateway, QualifiedName name, CancellationToken ct)
    {
        var rows = await gateway.QueryAsync($"SELECT engine, create_table_query FROM system.tables WHERE {TableReader.Where(name, "name")}", ct: ct);
        if (rows is not [var row] || row["engine"] != "Kafka")
        {
            return (null, rows.Count == 0 ? $"There is no table {name}." : $"{name} is of the engine {rows[0]["engine"]}, not Kafka.");
        }

        var macros = (await gateway.QueryAsync("SELECT macro, substitution FROM system.macros", ct: ct)).ToDictionary(r => r["macro"], r => r["substitution"], StringComparer.Ordinal);
        return Parse(name, row["create_table_query"], macros);
    }

    /// <summary>Reads a definition.</summary>
    /// <param name="name">The table.</param>
    /// <param name="createTable">Its CREATE TABLE statement.</param>
    /// <param name="macros">The server's macros: <c>{shard}</c> may stand in a name.</param>
    public static (KafkaTable? Table, string? Problem) Parse(QualifiedName name, string createTable, IReadOnlyDictionary<string, string> macros)
    {
        var definition = TableDefinition.Parse(createTable);
        var engine = TableEngine.Parse(definition.Engine);
        if (engine.Arguments is [var first, ..] && (!first.StartsWith('\'') || engine.Arguments.Any(a => !a.StartsWith('\'') && a.Contains('=', StringComparison.Ordinal))))
        {
            return (null, $"{name} has its broker and topics from a named collection, which ClickHouse does not show: write them in the definition of the table.");
        }

        var settings = definition.Settings.Where(s => s.Key.StartsWith("kafka_", StringComparison.Ordinal)).ToDictionary(s => s.Key, s => s.Value, StringComparer.Ordinal);
        foreach (var (argument, setting) in engine.Arguments.Zip(Arguments))
        {
            settings[setting ?? ""] = argument;
        }

        return new Reading(name, settings, macros).Table(definition);
    }

    /// <summary>The CREATE TABLE statement of another such table that reads the same in another group.</summary>
    /// <param name="name">The other table.</param>
    /// <param name="group">Its group.</param>
    /// <returns>Null when the definition has a secret that the server does not show.</returns>
    public string? CreateSql(QualifiedName name, string group)
    {
        const int GroupArgument = 2;
        var arguments = TableEngine.Parse(Definition.Engine).Arguments.ToList();
        if (arguments.Count > GroupArgument)
        {
            arguments[GroupArgument] = Sql.Literal(group);
        }

        var settings = arguments.Count > GroupArgument ? null : new Dictionary<string, string?>(StringComparer.Ordinal) { ["kafka_group_name"] = Sql.Literal(group) };
        var other = Definition with { Engine = arguments.Count == 0 ? "Kafka" : $"Kafka({string.Join(", ", arguments)})" };
        var sql = other.ToSql(name, settings);
        return sql.Contains("'[HIDDEN]'", StringComparison.Ordinal) ? null : sql;
    }

    [GeneratedRegex(@"\{(?<name>[^{}]+)\}")]
    private static partial Regex Macro();

    /// <summary>The settings of one table, which are read one by one; the first thing that cannot be read is told.</summary>
    private sealed class Reading(QualifiedName name, Dictionary<string, string> settings, IReadOnlyDictionary<string, string> macros)
    {
        private string? _problem;

        public (KafkaTable? Table, string? Problem) Table(TableDefinition definition)
        {
            var table = new KafkaTable
            {
                Name = name,
                Definition = definition,
                Brokers = [.. Names("kafka_broker_list").Select(Broker)],
                Topics = Names("kafka_topic_list"),
                Group = Text("kafka_group_name") ?? Missing("kafka_group_name"),
                Format = Text("kafka_format") ?? Missing("kafka_format"),
                Consumers = (int)(Number("kafka_num_consumers") ?? 1),
                SkipsBroken = Number("kafka_skip_broken_messages") ?? 0,
                ErrorMode = Text("kafka_handle_error_mode") ?? "default",
                FlushInterval = Number("kafka_flush_interval_ms") is { } milliseconds and > 0 ? TimeSpan.FromMilliseconds(milliseconds) : null,
            };
            if (Text("kafka_keeper_path") is { Length: > 0 })
            {
                _problem ??= $"{name} keeps its offsets in ClickHouse Keeper (kafka_keeper_path) and not in its group, where they could be read.";
            }

            if (Text("kafka_security_protocol") is { Length: > 0 } protocol && !protocol.Equals("plaintext", StringComparison.OrdinalIgnoreCase))
            {
                _problem ??= $"{name} talks to its broker by {protocol}, and Godwit only in plain text.";
            }

            return _problem is null ? (table, null) : (null, _problem);
        }

        private string Broker(string text)
        {
            // librdkafka takes a protocol before the host, and a host without a port.
            var protocol = text.IndexOf("://", StringComparison.Ordinal);
            if (protocol >= 0 && !text.StartsWith("PLAINTEXT://", StringComparison.OrdinalIgnoreCase))
            {
                _problem ??= $"{name} talks to its broker by {text[..protocol]}, and Godwit only in plain text.";
            }

            var host = protocol < 0 ? text : text[(protocol + 3)..];
            var address = host.LastIndexOf(':') > host.LastIndexOf(']') ? host : string.Create(CultureInfo.InvariantCulture, $"{host}:{DefaultPort}");
            if (!KafkaConnection.IsAddress(address))
            {
                _problem ??= $"'{text}' in the broker list of {name} is not an address.";
            }

            return address;
        }

        private string[] Names(string setting)
        {
            var names = (Text(setting) ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
            return names.Length > 0 ? names : [Missing(setting)];
        }

        private string Missing(string setting)
        {
            _problem ??= $"{name} has no {setting}.";
            return "";
        }

        private long? Number(string setting)
        {
            if (Text(setting) is not { } text)
            {
                return null;
            }

            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                return number;
            }

            _problem ??= $"{setting} of {name} is {text}, which is not a number.";
            return null;
        }

        // A literal, or a bare word, which ClickHouse takes for one here; an expression would have to be computed.
        private string? Text(string setting)
        {
            if (!settings.TryGetValue(setting, out var sql))
            {
                return null;
            }

            if (SqlText.Tokens(sql).Count != 1)
            {
                _problem ??= $"{setting} of {name} is {sql}, which is not a plain value.";
            }

            return Macro().Replace(SqlText.Unquote(sql), Substitute);
        }

        private string Substitute(Match macro)
        {
            var value = macro.Groups["name"].Value switch
            {
                "database" => name.Database,
                "table" => name.Table,
                var other => macros.GetValueOrDefault(other),
            };
            if (value is null)
            {
                _problem ??= $"The definition of {name} has the macro {macro.Value}, which is not among the server's macros.";
            }

            return value ?? macro.Value;
        }
    }
}
