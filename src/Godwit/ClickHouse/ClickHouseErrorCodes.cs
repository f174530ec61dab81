namespace Godwit.ClickHouse;

/// <summary>ClickHouse's error codes that a migration cares about, with their names and whether trying again can help.</summary>
public static class ClickHouseErrorCodes
{
#pragma warning disable CS1591 // The names are ClickHouse's own, in our casing; they are their documentation.
    public const int NoSuchColumnInTable = 16;
    public const int CannotParseText = 6;
    public const int CannotParseInputAssertionFailed = 27;
    public const int BadArguments = 36;
    public const int UnknownFunction = 46;
    public const int UnknownIdentifier = 47;
    public const int NotImplemented = 48;
    public const int TypeMismatch = 53;
    public const int TableAlreadyExists = 57;
    public const int UnknownTable = 60;
    public const int SyntaxError = 62;
    public const int UnknownDatabase = 81;
    public const int DatabaseAlreadyExists = 82;
    public const int FileDoesntExist = 107;
    public const int UnknownSetting = 115;
    public const int TooManyRows = 158;
    public const int TimeoutExceeded = 159;
    public const int TooSlow = 160;
    public const int ReadOnly = 164;
    public const int UnknownUser = 192;
    public const int WrongPassword = 193;
    public const int RequiredPassword = 194;
    public const int TooManySimultaneousQueries = 202;
    public const int NoFreeConnection = 203;
    public const int SocketTimeout = 209;
    public const int NetworkError = 210;
    public const int QueryWithSameIdIsAlreadyRunning = 216;
    public const int DatabaseNotEmpty = 219;
    public const int NoZooKeeper = 225;
    public const int NoSuchDataPart = 232;
    public const int Aborted = 236;
    public const int MemoryLimitExceeded = 241;
    public const int TableIsReadOnly = 242;
    public const int NotEnoughSpace = 243;
    public const int UnexpectedZooKeeperError = 244;
    public const int TooManyParts = 252;
    public const int NoActiveReplicas = 254;
    public const int AllConnectionTriesFailed = 279;
    public const int TooFewLiveReplicas = 285;
    public const int UnsatisfiedQuorumForPreviousWrite = 286;
    public const int UnknownStatusOfInsert = 319;
    public const int Unfinished = 341;
    public const int SupportIsDisabled = 344;
    public const int TableSizeExceedsMaxDropSizeLimit = 359;
    public const int SessionNotFound = 372;
    public const int SessionIsLocked = 373;
    public const int PartIsTemporarilyLocked = 384;
    public const int CannotAssignOptimize = 388;
    public const int QueryWasCancelled = 394;
    public const int FunctionThrowIfValueIsNonZero = 395;
    public const int SystemError = 425;
    public const int SettingConstraintViolation = 452;
    public const int DeadlockAvoided = 473;
    public const int UnknownDisk = 479;
    public const int AccessDenied = 497;
    public const int AuthenticationFailed = 516;
    public const int NoRemoteShardAvailable = 519;
    public const int AlterOfColumnIsForbidden = 524;
    public const int TableIsBeingRestarted = 733;
    public const int TableUuidMismatch = 741;
    public const int ServerOverloaded = 745;
    public const int KeeperException = 999;
#pragma warning restore CS1591

    // Transient: the same statement may succeed later though nobody changes anything. It says nothing about whether the
    // statement had an effect. Old servers do not send names, so the table is their only source.
    private static readonly Dictionary<int, (string Name, bool Transient)> Table = new()
    {
        [CannotParseText] = ("CANNOT_PARSE_TEXT", false),
        [NoSuchColumnInTable] = ("NO_SUCH_COLUMN_IN_TABLE", false),
        [CannotParseInputAssertionFailed] = ("CANNOT_PARSE_INPUT_ASSERTION_FAILED", false),
        [BadArguments] = ("BAD_ARGUMENTS", false),
        [UnknownFunction] = ("UNKNOWN_FUNCTION", false),
        [UnknownIdentifier] = ("UNKNOWN_IDENTIFIER", false),
        [NotImplemented] = ("NOT_IMPLEMENTED", false),
        [TypeMismatch] = ("TYPE_MISMATCH", false),
        [TableAlreadyExists] = ("TABLE_ALREADY_EXISTS", false),
        [UnknownTable] = ("UNKNOWN_TABLE", false),
        [SyntaxError] = ("SYNTAX_ERROR", false),
        [UnknownDatabase] = ("UNKNOWN_DATABASE", false),
        [DatabaseAlreadyExists] = ("DATABASE_ALREADY_EXISTS", false),
        [FileDoesntExist] = ("FILE_DOESNT_EXIST", false),
        [UnknownSetting] = ("UNKNOWN_SETTING", false),
        [TooManyRows] = ("TOO_MANY_ROWS", false),
        [TimeoutExceeded] = ("TIMEOUT_EXCEEDED", true),
        [TooSlow] = ("TOO_SLOW", true),
        [ReadOnly] = ("READONLY", false),
        [UnknownUser] = ("UNKNOWN_USER", false),
        [WrongPassword] = ("WRONG_PASSWORD", false),
        [RequiredPassword] = ("REQUIRED_PASSWORD", false),
        [TooManySimultaneousQueries] = ("TOO_MANY_SIMULTANEOUS_QUERIES", true),
        [NoFreeConnection] = ("NO_FREE_CONNECTION", true),
        [SocketTimeout] = ("SOCKET_TIMEOUT", true),
        [NetworkError] = ("NETWORK_ERROR", true),
        // Not transient: the statement of that name is ours and is running; watch it, do not send it again.
        [QueryWithSameIdIsAlreadyRunning] = ("QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING", false),
        [DatabaseNotEmpty] = ("DATABASE_NOT_EMPTY", false),
        [NoZooKeeper] = ("NO_ZOOKEEPER", true),
        [NoSuchDataPart] = ("NO_SUCH_DATA_PART", false),
        [Aborted] = ("ABORTED", true),
        [MemoryLimitExceeded] = ("MEMORY_LIMIT_EXCEEDED", true),
        [TableIsReadOnly] = ("TABLE_IS_READ_ONLY", true),
        // Not transient: a full disk stays full until a person or a brake acts.
        [NotEnoughSpace] = ("NOT_ENOUGH_SPACE", false),
        [UnexpectedZooKeeperError] = ("UNEXPECTED_ZOOKEEPER_ERROR", true),
        [TooManyParts] = ("TOO_MANY_PARTS", true),
        [NoActiveReplicas] = ("NO_ACTIVE_REPLICAS", true),
        [AllConnectionTriesFailed] = ("ALL_CONNECTION_TRIES_FAILED", true),
        [TooFewLiveReplicas] = ("TOO_FEW_LIVE_REPLICAS", true),
        [UnsatisfiedQuorumForPreviousWrite] = ("UNSATISFIED_QUORUM_FOR_PREVIOUS_WRITE", true),
        // Not transient: the rows may be there; look before sending them again.
        [UnknownStatusOfInsert] = ("UNKNOWN_STATUS_OF_INSERT", false),
        [Unfinished] = ("UNFINISHED", false),
        [SupportIsDisabled] = ("SUPPORT_IS_DISABLED", false),
        [TableSizeExceedsMaxDropSizeLimit] = ("TABLE_SIZE_EXCEEDS_MAX_DROP_SIZE_LIMIT", false),
        [SessionNotFound] = ("SESSION_NOT_FOUND", false),
        [SessionIsLocked] = ("SESSION_IS_LOCKED", true),
        [PartIsTemporarilyLocked] = ("PART_IS_TEMPORARILY_LOCKED", true),
        [CannotAssignOptimize] = ("CANNOT_ASSIGN_OPTIMIZE", true),
        // Not transient: somebody wanted it to end.
        [QueryWasCancelled] = ("QUERY_WAS_CANCELLED", false),
        [FunctionThrowIfValueIsNonZero] = ("FUNCTION_THROW_IF_VALUE_IS_NON_ZERO", false),
        [SystemError] = ("SYSTEM_ERROR", true),
        [SettingConstraintViolation] = ("SETTING_CONSTRAINT_VIOLATION", false),
        [DeadlockAvoided] = ("DEADLOCK_AVOIDED", true),
        [UnknownDisk] = ("UNKNOWN_DISK", false),
        [AccessDenied] = ("ACCESS_DENIED", false),
        [AuthenticationFailed] = ("AUTHENTICATION_FAILED", false),
        [NoRemoteShardAvailable] = ("NO_REMOTE_SHARD_AVAILABLE", true),
        [AlterOfColumnIsForbidden] = ("ALTER_OF_COLUMN_IS_FORBIDDEN", false),
        [TableIsBeingRestarted] = ("TABLE_IS_BEING_RESTARTED", true),
        [TableUuidMismatch] = ("TABLE_UUID_MISMATCH", false),
        [ServerOverloaded] = ("SERVER_OVERLOADED", true),
        [KeeperException] = ("KEEPER_EXCEPTION", true),
    };

    /// <summary>The server's name of a code, or null for one that is not in the table.</summary>
    internal static string? NameOf(int code) => Table.TryGetValue(code, out var entry) ? entry.Name : null;

    /// <summary>Whether the same statement may succeed later; a code that is not in the table is not transient.</summary>
    internal static bool IsTransient(int code) => Table.TryGetValue(code, out var entry) && entry.Transient;

    /// <summary>Whether the server says this of a statement before it does anything of it.</summary>
    internal static bool ComesBeforeExecution(int code) =>
        code is AccessDenied or UnknownTable or UnknownDatabase or NoSuchColumnInTable or UnknownIdentifier or SyntaxError or ReadOnly
            or TooManySimultaneousQueries or ServerOverloaded
        || IsLoginRefusal(code);

    /// <summary>
    /// Whether a statement that the server does whole or not at all may have been done when it says this: what it waited for, or wrote to last,
    /// went wrong, and not the statement.
    /// </summary>
    internal static bool ComesMidway(int code) =>
        code is 0 or Unfinished or QueryWasCancelled or TimeoutExceeded or UnknownStatusOfInsert or NotEnoughSpace || (IsTransient(code) && !ComesBeforeExecution(code));

    /// <summary>Whether the server did not accept who we are (not: what we may do).</summary>
    internal static bool IsLoginRefusal(int code) => code is UnknownUser or WrongPassword or RequiredPassword or AuthenticationFailed;
}
