using System.Globalization;
using Godwit.Runs;

namespace Godwit.Server.Pages;

/// <summary>How a run is to behave, as a form holds it.</summary>
internal sealed class RunOptionsForm
{
    /// <summary>When a worker may start it; empty for when the settings say.</summary>
    public string? StartWindow { get; set; }

    /// <summary>Wait until somebody cuts over.</summary>
    public bool DeferCutover { get; set; }

    /// <summary>Do not wait before steps that cannot be undone.</summary>
    public bool AcceptIrreversible { get; set; }

    /// <summary>Hours for which a rollback is kept possible.</summary>
    public string? RollbackHours { get; set; } = "24";

    /// <summary>Minutes for which a feed may be held at once.</summary>
    public string? PauseMinutes { get; set; } = "5";

    /// <summary>Hours for which the topics of a feed keep messages; empty when nobody has looked it up.</summary>
    public string? KafkaHours { get; set; }

    /// <summary>The most rows per second; empty for no limit.</summary>
    public string? RowLimit { get; set; }

    /// <summary>SQL that must return 0; empty for none.</summary>
    public string? BrakeSql { get; set; }

    /// <summary>Reads it.</summary>
    /// <returns>The options, and everything that is wrong, one sentence each.</returns>
    public (RunOptions Options, IReadOnlyList<string> Problems) Read()
    {
        List<string> problems = [];
        var options = new RunOptions
        {
            StartWindow = string.IsNullOrWhiteSpace(StartWindow) ? null : StartWindow.Trim(),
            DeferCutover = DeferCutover,
            AcceptIrreversible = AcceptIrreversible,
            RollbackWindow = Number(RollbackHours) is { } hours ? TimeSpan.FromHours(hours) : Wrong($"'{RollbackHours}' is no number of hours for the rollback: write 24.", TimeSpan.Zero),
            PauseBudget = Number(PauseMinutes) is { } minutes ? TimeSpan.FromMinutes(minutes) : Wrong($"'{PauseMinutes}' is no number of minutes for which a feed may be held: write 5.", TimeSpan.FromMinutes(1)),
            KafkaRetention = string.IsNullOrWhiteSpace(KafkaHours) ? null
                : Number(KafkaHours) is { } kept ? TimeSpan.FromHours(kept) : Wrong<TimeSpan?>($"'{KafkaHours}' is no number of hours for which Kafka keeps messages: write 168, or leave it empty.", null),
            MaxRowsPerSecond = ReadRows(RowLimit, out var rows) ? rows : Wrong<long?>($"'{RowLimit}' is no number of rows: write 200000, or leave it empty for no limit.", null),
            BrakeSql = string.IsNullOrWhiteSpace(BrakeSql) ? [] : [BrakeSql.Trim()],
        };
        problems.AddRange(options.Problems());
        return (options, problems);

        static double? Number(string? text) =>
            double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number <= 8760 ? number : null;

        T Wrong<T>(string sentence, T instead)
        {
            problems.Add(sentence);
            return instead;
        }
    }

    /// <summary>Reads a number of rows as people write it.</summary>
    /// <returns>False when it is none; nothing is no limit.</returns>
    public static bool ReadRows(string? text, out long? rows)
    {
        var plain = (text ?? "").Replace(",", "", StringComparison.Ordinal).Replace(" ", "", StringComparison.Ordinal);
        rows = long.TryParse(plain, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : null;
        return rows is not null || plain.Length == 0;
    }
}
