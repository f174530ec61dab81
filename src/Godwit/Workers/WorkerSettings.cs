using Godwit.Migrations;
using Godwit.Notifications;
using Godwit.Plans;
using Godwit.Runs;

namespace Godwit.Workers;

/// <summary>How an instance is run: stored, changeable at any time, obeyed by every worker from its next look on.</summary>
public sealed record WorkerSettings
{
    /// <summary>Every setting that there is, with its default, its bounds and what it is for.</summary>
    public static IReadOnlyList<Parameter> Definitions { get; } =
    [
        new("autoStart", ParameterType.Boolean) { Default = "false", Help = "Start by itself what is required here, in the order of dependencies" },
        new("autoContinue", ParameterType.Boolean) { Default = "true", Help = "Go on with a run whose worker died; otherwise it becomes Failed" },
        new("autoRollback", ParameterType.Boolean) { Default = "false", Help = "Roll back a run that failed" },
        new("blockUpgrade", ParameterType.Boolean) { Default = "true", Help = "Let `godwit check` block an upgrade while migrations must be done first" },
        new("drain", ParameterType.Boolean) { Default = "false", Help = "Start nothing more; what runs is brought to its end. For the time before an upgrade" },
        new("maxConcurrentRuns", ParameterType.Integer) { Default = "1", Min = "1", Max = "16", Help = "How many runs may be at work at once on an instance, on different tables" },
        new("notify", ParameterType.Text) { Default = "", Help = "Who is told what happens to runs: https://…, slack+https://…, smtp://…, env:NAME or file:/PATH, several with blanks" },
        new("rollbackWindowHours", ParameterType.Integer) { Default = "24", Min = "0", Max = "8760", Help = "How long a completed run that a worker started can be rolled back" },
        new("statementTimeoutMinutes", ParameterType.Integer) { Default = "0", Min = "0", Max = "43200", Help = "How long a statement of a run that a worker started may take when its author names no time; 0 for no limit" },
        new("timeWindows", ParameterType.Text) { Default = "", Help = "When runs may be started, in UTC: '22:00-06:00', several with commas; empty for any time. A run may have its own" },
    ];

    private const string NotifyName = "notify";
    private readonly ParameterValues _values;

    private WorkerSettings(ParameterValues values) => _values = values;

    /// <summary>See <see cref="Definitions"/>.</summary>
    public bool AutoStart => _values.Get<bool>("autoStart");

    /// <inheritdoc cref="AutoStart"/>
    public bool AutoContinue => _values.Get<bool>("autoContinue");

    /// <inheritdoc cref="AutoStart"/>
    public bool AutoRollback => _values.Get<bool>("autoRollback");

    /// <inheritdoc cref="AutoStart"/>
    public bool BlockUpgrade => _values.Get<bool>("blockUpgrade");

    /// <inheritdoc cref="AutoStart"/>
    public bool Drain => _values.Get<bool>("drain");

    /// <inheritdoc cref="AutoStart"/>
    public int MaxConcurrentRuns => (int)_values.Get<long>("maxConcurrentRuns");

    /// <inheritdoc cref="AutoStart"/>
    public TimeSpan RollbackWindow => TimeSpan.FromHours(_values.Get<long>("rollbackWindowHours"));

    /// <inheritdoc cref="AutoStart"/>
    public TimeSpan? StatementTimeout => _values.Get<long>("statementTimeoutMinutes") is > 0 and var minutes ? TimeSpan.FromMinutes(minutes) : null;

    /// <summary>When runs may be started.</summary>
    public TimeWindows Windows => TimeWindows.Parse(_values.Get<string>("timeWindows"));

    /// <summary>When a run may be started: its own windows count instead of those of the settings.</summary>
    public TimeWindows WindowsOf(RunOptions run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return run.StartWindow is { } own ? TimeWindows.Parse(own) : Windows;
    }

    /// <summary>What keeps workers from starting a run at a moment, in words; null when nothing does.</summary>
    public string? StartHold(RunOptions run, DateTimeOffset now)
    {
        var next = WindowsOf(run).Next(now);
        return Drain ? "the setting drain keeps runs from starting" : next > now ? $"its window opens at {Plain.Moment(next)}" : null;
    }

    /// <summary>Who is told what happens to runs.</summary>
    /// <exception cref="StoredFormatException">What is stored cannot be read by this build.</exception>
    internal IReadOnlyList<NotifyTarget> Notify => NotifyTargets.Read(_values.Get<string>(NotifyName)) is { Problems: [] } read
        ? read.Targets
        : throw new StoredFormatException("The stored setting notify cannot be read. Set it again, or use the version that set it.");

    /// <summary>Every setting as it is now, as a person may see it: without the secrets in it.</summary>
    public IReadOnlyDictionary<string, string> Texts => _values.Texts.ToDictionary(t => t.Key, t => Shown(t.Key, t.Value), StringComparer.Ordinal);

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Reads what is stored, defaults filled in.</summary>
    /// <exception cref="StoredFormatException">A stored setting is not known to this build, or not good.</exception>
    public static WorkerSettings Read(IReadOnlyDictionary<string, string> stored)
    {
        var (values, problems) = ParameterValues.Read(Definitions, stored);
        return values is null
            ? throw new StoredFormatException($"The stored settings cannot be used: {string.Join(' ', problems)} Set them again, or use the version that set them.")
            : new WorkerSettings(values);
    }

    /// <summary>A value for a setting as a person may see it: without the secrets in it.</summary>
    public static string Shown(string name, string value) => name == NotifyName ? NotifyTargets.Mask(value) : value;

    /// <summary>What somebody wrote over what <see cref="Texts"/> shows, with the secrets that were not shown to him.</summary>
    internal string Whole(string name, string written)
    {
        if (name != NotifyName)
        {
            return written;
        }

        // Of two addresses that look alike one cannot know which of them is gone: they stay masked, and are complained of.
        var stored = Words(_values.Get<string>(NotifyName)).GroupBy(NotifyTargets.Mask, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToList(), StringComparer.Ordinal);
        var words = Words(written);
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        return string.Join(' ', words.Select(word => stored.GetValueOrDefault(word) is { } same && same.Count == words.Count(w => w == word)
            ? same[seen[word] = seen.GetValueOrDefault(word, -1) + 1]
            : word));
    }

    /// <summary>
    /// Whether a value for a setting has Godwit read a file or a variable that it does not read now: who sets such a one can have what it
    /// holds sent to a mail server of his own.
    /// </summary>
    internal bool ReadsMore(string name, string written) =>
        name == NotifyName && Words(written).Except(Words(_values.Get<string>(NotifyName)), StringComparer.Ordinal).Any(word => NotifyTargets.ReadOne(word, []) is ReferredTarget or MailTarget { Login: not null });

    /// <summary>All that is wrong with a value for a setting, one sentence each; empty when it can be stored.</summary>
    public static IReadOnlyList<string> Problems(string name, string value)
    {
        if (Definitions.FirstOrDefault(d => d.Name == name) is not { } definition)
        {
            return [$"There is no setting {name}; there are {string.Join(", ", Definitions.Select(d => d.Name))}."];
        }

        try
        {
            _ = name == "timeWindows" ? TimeWindows.Parse(value) : null;
        }
        catch (FormatException e)
        {
            return [$"{name}: {e.Message}"];
        }

        return name == NotifyName
            ? [.. NotifyTargets.Read(value).Problems.Select(p => $"{name}: {p}")]
            : definition.Read(value).Problem is { } problem ? [problem] : [];
    }
}
