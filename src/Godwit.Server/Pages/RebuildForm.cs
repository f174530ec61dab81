using Godwit.ClickHouse;
using Godwit.Rebuild;

namespace Godwit.Server.Pages;

/// <summary>What a table is to become, as the wizard's form holds it; what is empty stays as it is.</summary>
internal sealed class RebuildForm
{
    public string? OrderBy { get; set; }

    public string? PrimaryKey { get; set; }

    public string? PartitionBy { get; set; }

    public string? SampleBy { get; set; }

    public string? Engine { get; set; }

    public string? Ttl { get; set; }

    /// <summary>Definitions of new columns, one a line.</summary>
    public string? AddColumns { get; set; }

    /// <summary>New definitions of columns, one a line.</summary>
    public string? ModifyColumns { get; set; }

    /// <summary>Names of columns to leave out, one a line.</summary>
    public string? DropColumns { get; set; }

    /// <summary>Settings of the table, <c>name=value</c>, one a line.</summary>
    public string? Settings { get; set; }

    /// <summary>How the new table gets what is written meanwhile.</summary>
    public string? Strategy { get; set; }

    /// <summary>The columns that tell a message from all others, for a second consumer.</summary>
    public string? Identity { get; set; }

    /// <summary>Add MATERIALIZED columns after the copy.</summary>
    public bool MaterializeLater { get; set; }

    /// <summary>What pauses writers that are not Kafka tables.</summary>
    public string? PauseHook { get; set; }

    /// <summary>What lets them go on.</summary>
    public string? ResumeHook { get; set; }

    /// <summary>Warnings that are accepted, with blanks.</summary>
    public string? Accept { get; set; }

    /// <summary><c>estimate</c> or <c>plan</c>.</summary>
    public string? Do { get; set; }

    public RunOptionsForm Options { get; set; } = new();

    /// <summary>The request.</summary>
    public RebuildRequest Read(QualifiedName table) => new()
    {
        Table = table,
        OrderBy = Text(OrderBy),
        PrimaryKey = Text(PrimaryKey),
        PartitionBy = Text(PartitionBy),
        SampleBy = Text(SampleBy),
        Engine = Text(Engine),
        Ttl = Text(Ttl),
        AddColumns = Lines(AddColumns),
        ModifyColumns = Lines(ModifyColumns),
        DropColumns = Lines(DropColumns),
        Settings = Lines(Settings),
        Strategy = Text(Strategy) ?? "auto",
        Identity = Text(Identity),
        MaterializeLater = MaterializeLater,
        PauseHook = Text(PauseHook),
        ResumeHook = Text(ResumeHook),
        Accept = Accept?.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [],
    };

    private static string? Text(string? text) => string.IsNullOrWhiteSpace(text) ? null : text.Trim();

    private static string[] Lines(string? text) => text?.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
