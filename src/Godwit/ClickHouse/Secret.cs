using System.Diagnostics;

namespace Godwit.ClickHouse;

/// <summary>A value that never prints itself: logs, exceptions, records and debuggers show <c>***</c>.</summary>
[DebuggerDisplay("***")]
public sealed class Secret : IEquatable<Secret>
{
    /// <summary>What stands in every printed place of a secret.</summary>
    internal const string Mask = "***";

    // A field that debuggers and serializers do not see, because it is neither a property nor public.
    [DebuggerBrowsable(DebuggerBrowsableState.Never)]
    private readonly string _value;

    /// <summary>Wraps a value; it leaves again only through <see cref="Reveal"/>.</summary>
    public Secret(string value) => _value = value ?? throw new ArgumentNullException(nameof(value));

    /// <summary>No secret: the empty password.</summary>
    public static Secret None { get; } = new("");

    /// <summary>The value itself. The only callers are those that send it to its owner.</summary>
    public string Reveal() => _value;

    /// <inheritdoc/>
    public bool Equals(Secret? other) => other is not null && string.Equals(_value, other._value, StringComparison.Ordinal);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Secret);

    /// <inheritdoc/>
    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(_value);

    /// <summary>Always <c>***</c>.</summary>
    public override string ToString() => Mask;
}
